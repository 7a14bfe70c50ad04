"""Writes an image of one layer as an OCI archive (image-spec 1.1, image-layout.md)."""

import dataclasses
import hashlib
import io
import json
import pathlib
import platform
import tarfile
from typing import Any

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A blob's descriptor: digest in hexadecimal, size in bytes."""

    digest: str
    size: int

    def describe(self, media_type: str) -> dict[str, Any]:
        """The descriptor as it stands in manifests."""
        return {"mediaType": media_type, "digest": f"sha256:{self.digest}", "size": self.size}


def write_image(archive: pathlib.Path, *, layer: pathlib.Path, name: str, configuration: dict[str, Any]) -> None:
    """Write an OCI archive whose only layer is the tar file `layer`, under the full image name `name`.

    Args:
        archive: the tar file to write.
        layer: an uncompressed tar file.
        name: such as `wasmoor.local/pause:1`.
        configuration: the `config` part of the image configuration (Entrypoint, Env, ...).
    """
    described = hash_file(layer)
    image = {
        "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": configuration,
        # Builders refuse an image whose history does not account for its layers.
        "history": [{"created_by": "wasmoor tests/cluster"}],
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{described.digest}"]},
    }
    with tarfile.open(archive, "w") as output:
        with layer.open("rb") as file:
            entry = tarfile.TarInfo(f"blobs/sha256/{described.digest}")
            entry.size = described.size
            output.addfile(entry, file)
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": _add_blob(output, image).describe("application/vnd.oci.image.config.v1+json"),
            "layers": [described.describe("application/vnd.oci.image.layer.v1.tar")],
        }
        descriptor = _add_blob(output, manifest).describe("application/vnd.oci.image.manifest.v1+json")
        descriptor["annotations"] = {"org.opencontainers.image.ref.name": name, "io.containerd.image.name": name}
        index = {"schemaVersion": 2, "manifests": [descriptor]}
        _add(output, "index.json", json.dumps(index).encode())
        _add(output, "oci-layout", b'{"imageLayoutVersion": "1.0.0"}')


def write_program_layer(layer: pathlib.Path, program: pathlib.Path) -> None:
    """Write a tar file that holds one static program at its root."""
    with tarfile.open(layer, "w") as output:
        entry = tarfile.TarInfo(program.name)
        entry.mode = 0o755
        content = program.read_bytes()
        entry.size = len(content)
        output.addfile(entry, io.BytesIO(content))


def hash_file(path: pathlib.Path) -> Blob:
    """Digest and size of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Blob(digest=digest, size=path.stat().st_size)


def _add_blob(output: tarfile.TarFile, document: dict[str, Any]) -> Blob:
    content = json.dumps(document).encode()
    blob = Blob(digest=hashlib.sha256(content).hexdigest(), size=len(content))
    _add(output, f"blobs/sha256/{blob.digest}", content)
    return blob


def _add(output: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    output.addfile(entry, io.BytesIO(content))
