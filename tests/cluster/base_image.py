"""The base image with Python, made from Debian packages on machines that reach no image registry. Called by images.

Made once (about a minute) and cached as an OCI archive.
"""

import hashlib
import pathlib
import shutil
import tempfile

from tests.cluster import longrun, oci, processes
from tests.cluster.paths import Paths
from tests.cluster.progress import Progress

SUITE = "trixie"
# What the Dockerfile asks of BASE: Python with its venv module, and certificates.
PACKAGES = ("python3", "python3-venv", "ca-certificates")
# What only an installation needs; the image is for running.
UNNEEDED = ("var/cache/apt", "var/lib/apt/lists", "var/log", "usr/share/doc", "usr/share/man", "usr/share/locale")


def name_base() -> str:
    """Name of the base image in the builder's storage; another recipe gives another name."""
    recipe = hashlib.sha256(repr((SUITE, PACKAGES, UNNEEDED)).encode()).hexdigest()[:12]
    return f"localhost/wasmoor-base:{SUITE}-{recipe}"


def provide_base(paths: Paths, progress: Progress) -> pathlib.Path:
    """The base image's OCI archive, made if it is not there; the caller holds the images lock."""
    archive = paths.images / f"{name_base().rpartition('/')[2].replace(':', '-')}.tar"
    if archive.is_file():
        return archive
    progress.say(f"making the base image: Debian {SUITE} with Python (some 60 s)")
    paths.images.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=paths.images, prefix=".base-") as temporary:
        folder, layer, finished = (pathlib.Path(temporary) / name for name in ("root", "layer.tar", "base.tar"))
        bootstrap = [processes.find_program("debootstrap"), "--variant=minbase", f"--include={','.join(PACKAGES)}"]
        log = paths.images / "base.log"
        longrun.run_long([*bootstrap, SUITE, folder], what="making the base image", log=log, progress=progress)
        for unneeded in UNNEEDED:
            for entry in (folder / unneeded).glob("*"):
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        pack = [processes.find_program("tar"), "--numeric-owner", "--sort=name", "--exclude=./dev/*"]
        processes.run([*pack, "-C", folder, "-cf", layer, "."], timeout=120)
        oci.write_image(finished, layer=layer, name=name_base(), configuration={"Cmd": ["python3"]})
        finished.rename(archive)
    return archive
