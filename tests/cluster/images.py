"""Builds the project's images from its own Dockerfile without a container engine, and puts them where pods find them.

Images are named after the content they are built from, so a second call finds them and a changed file gives another
name. Called by `__main__` and by `make up`.
"""

import contextlib
import dataclasses
import os
import pathlib
import tempfile

from tests.cluster import base_image, builder, containerd, context, install, locks, node, processes
from tests.cluster.errors import ClusterError
from tests.cluster.paths import Paths, foreign_context
from tests.cluster.progress import Progress

TARGETS = ("operator", "runtime")
KEPT_ARCHIVES = 3


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """References for manifests."""

    operator: str
    runtime: str

    def render(self) -> str:
        """One line that a script can read."""
        return f"operator={self.operator} runtime={self.runtime}"


def provide_images(paths: Paths, progress: Progress) -> Images:
    """Build what is not built yet, load it into the cluster in use, and say how manifests name it."""
    node.require_root("images")
    require_destination()
    install.install_builder(paths, progress)
    with locks.hold(paths.images / "lock"):
        archives = build(paths, progress)
        names = {target: f"wasmoor/{target}:{archive.stem.rpartition('-')[2]}" for target, archive in archives.items()}
        for target, archive in archives.items():
            names[target] = load(paths, archive, names[target], progress)
    return Images(**names)


def build(paths: Paths, progress: Progress) -> dict[str, pathlib.Path]:
    """OCI archives of both images, built if they are not there; the caller holds the lock."""
    base = base_image.name_base()
    ignore = paths.checkout / ".dockerignore"
    files = context.find_files(paths.checkout, context.parse_inputs(ignore.read_text(encoding="utf-8")))
    tag = context.compute_tag(paths.checkout, files, base)
    archives = {target: paths.images / f"{target}-{tag}.tar" for target in TARGETS}
    missing = {target: archive for target, archive in archives.items() if not archive.is_file()}
    if missing:
        with tempfile.TemporaryDirectory(dir=paths.images, prefix=".build-") as temporary:
            folder = pathlib.Path(temporary)
            context.stage(paths.checkout, files, folder / "context")
            with contextlib.closing(builder.Builder(paths, folder, progress)) as building:
                building.provide_base(base)
                for target, archive in missing.items():
                    building.build(target, base, tag, archive)
                building.trim()
    for target, archive in archives.items():
        archive.touch()
        remove_old(paths.images, target)
    return archives


def require_destination() -> None:
    """Refuse, before minutes of building, a cluster that there is no way to give images to."""
    chosen = foreign_context()
    if chosen is None or chosen.startswith(("kind-", "k3d-")) or os.environ.get("REGISTRY"):
        return
    todo = "set REGISTRY=HOST[:PORT] to a registry that it pulls from"
    raise ClusterError("no way to give images to this cluster", where=f"context {chosen}", todo=todo)


def load(paths: Paths, archive: pathlib.Path, name: str, progress: Progress) -> str:
    """Put an image into the cluster in use and return the reference that its pods use."""
    chosen = foreign_context()
    if chosen is None:
        return load_into_node(paths, archive, name, progress)
    if chosen.startswith("kind-"):
        cluster = chosen.removeprefix("kind-")
        processes.run(
            [processes.find_program("kind"), "load", "image-archive", str(archive), "--name", cluster], timeout=600
        )
        return name
    if chosen.startswith("k3d-"):
        cluster = chosen.removeprefix("k3d-")
        processes.run(
            [processes.find_program("k3d"), "image", "import", str(archive), "--cluster", cluster], timeout=600
        )
        return name
    reference = f"{os.environ['REGISTRY']}/{name}"
    progress.say(f"pushing {reference}")
    with (
        tempfile.TemporaryDirectory(dir=paths.images, prefix=".push-") as temporary,
        contextlib.closing(builder.Builder(paths, pathlib.Path(temporary), progress)) as building,
    ):
        building.push(archive, reference)
    return reference


def load_into_node(paths: Paths, archive: pathlib.Path, name: str, progress: Progress) -> str:
    """Import into the node's containerd when the node is up and lacks it."""
    if node.is_up(paths):
        runtime = containerd.Containerd(paths.containerd_socket)
        if f"{builder.DEFAULT_REGISTRY}/{name}" not in runtime.observe_images():
            runtime.import_archive(archive)
            progress.say(f"imported {name} into the node")
    return name


def remove_old(folder: pathlib.Path, target: str) -> None:
    """Keep the archives used last."""
    archives = sorted(folder.glob(f"{target}-*.tar"), key=lambda file: file.stat().st_mtime, reverse=True)
    for archive in archives[KEPT_ARCHIVES:]:
        archive.unlink()
