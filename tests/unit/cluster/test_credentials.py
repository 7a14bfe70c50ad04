"""Certificates, kubeconfigs and image archives are what their readers expect."""

import base64
import hashlib
import json
import pathlib
import subprocess
import tarfile

import yaml

from tests.cluster import kubeconfig, oci
from tests.cluster.certificates import Authority


def test_issued_certificates_are_accepted_by_their_authority_alone(tmp_path: pathlib.Path) -> None:
    ours, other = Authority(tmp_path / "ours"), Authority(tmp_path / "other")
    serving = ours.issue_server("server", user="server", alternatives=["IP:127.0.0.1"])
    verify = ["openssl", "verify", "-verify_ip", "127.0.0.1", "-purpose", "sslserver", "-CAfile"]
    assert subprocess.run([*verify, ours.root.certificate, serving.certificate], check=False).returncode == 0
    assert subprocess.run([*verify, other.root.certificate, serving.certificate], check=False).returncode != 0


def test_keys_are_private(tmp_path: pathlib.Path) -> None:
    authority = Authority(tmp_path / "pki")
    keys = [authority.root.key, authority.issue_client("c", user="u").key, authority.make_signing_key("s").key]
    assert {key.stat().st_mode & 0o777 for key in [tmp_path / "pki"]} == {0o700}
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}


def test_a_kubeconfig_holds_everything_it_needs() -> None:
    text = kubeconfig.render_kubeconfig(
        name="n", server="https://10.0.0.1:6443", authority=b"ca", user="u", certificate=b"crt", key=b"key"
    )
    document = yaml.safe_load(text)
    assert document["current-context"] == "n"
    assert document["contexts"][0]["context"] == {"cluster": "n", "user": "u"}
    assert base64.b64decode(document["users"][0]["user"]["client-key-data"]) == b"key"
    assert base64.b64decode(document["clusters"][0]["cluster"]["certificate-authority-data"]) == b"ca"


def test_a_private_file_replaces_one_that_others_could_read(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text("old", encoding="utf-8")
    file.chmod(0o644)
    kubeconfig.write_private(file, "new")
    assert file.read_text(encoding="utf-8") == "new"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_an_image_archive_s_descriptors_name_what_is_in_it(tmp_path: pathlib.Path) -> None:
    program, layer, archive = tmp_path / "pause", tmp_path / "layer.tar", tmp_path / "image.tar"
    program.write_bytes(b"program")
    oci.write_program_layer(layer, program)
    oci.write_image(archive, layer=layer, name="host/name:1", configuration={"Entrypoint": ["/pause"]})
    with tarfile.open(archive) as opened:
        files = {entry.name: opened.extractfile(entry) for entry in opened.getmembers()}
        contents = {name: file.read() for name, file in files.items() if file is not None}
    (descriptor,) = json.loads(contents["index.json"])["manifests"]
    manifest = json.loads(contents["blobs/sha256/" + descriptor["digest"].removeprefix("sha256:")])
    assert descriptor["annotations"]["io.containerd.image.name"] == "host/name:1"
    for blob in [descriptor, manifest["config"], *manifest["layers"]]:
        content = contents["blobs/sha256/" + blob["digest"].removeprefix("sha256:")]
        assert blob["digest"] == "sha256:" + hashlib.sha256(content).hexdigest()
        assert blob["size"] == len(content)


def test_an_image_s_history_accounts_for_its_layer(tmp_path: pathlib.Path) -> None:
    program, layer, archive = tmp_path / "pause", tmp_path / "layer.tar", tmp_path / "image.tar"
    program.write_bytes(b"program")
    oci.write_program_layer(layer, program)
    oci.write_image(archive, layer=layer, name="host/name:1", configuration={})
    with tarfile.open(archive) as opened:
        blobs = [opened.extractfile(entry) for entry in opened.getmembers() if entry.name.startswith("blobs/")]
        texts = [blob.read() for blob in blobs if blob is not None]
    (image,) = [json.loads(text) for text in texts if b'"rootfs"' in text]
    assert len(image["history"]) == len(image["rootfs"]["diff_ids"]) == 1
