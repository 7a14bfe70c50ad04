"""What the project's images are built from, and the tag that follows from it. Called by images.

`.dockerignore` lists the inputs as exceptions (`!name`) to a rule that leaves out everything; that list is the truth
here too, so a builder of any kind sees the same files.
"""

import hashlib
import os
import pathlib
import shutil
from collections.abc import Iterable

from tests.cluster.errors import ClusterError


def parse_inputs(dockerignore: str) -> list[str]:
    """Names of the inputs at the root of the repository, plus the Dockerfile itself."""
    lines = [line.strip() for line in dockerignore.splitlines()]
    if "*" not in lines:
        raise ClusterError("the list of inputs is open-ended", where=".dockerignore", todo="start it with a line `*`")
    return sorted({"Dockerfile", *(line[1:].strip("/") for line in lines if line.startswith("!"))})


def find_files(checkout: pathlib.Path, inputs: Iterable[str]) -> list[pathlib.Path]:
    """All files of the inputs, without Python's caches, relative to the checkout, sorted."""
    found: list[pathlib.Path] = []
    for name in inputs:
        top = checkout / name
        if top.is_file():
            found.append(top)
        elif top.is_dir():
            found.extend(file for file in top.rglob("*") if file.is_file())
        else:
            raise ClusterError(f"{name} is not there", where=str(checkout), todo="add it or mend .dockerignore")
    relative = (file.relative_to(checkout) for file in found)
    return sorted(file for file in relative if "__pycache__" not in file.parts and file.suffix != ".pyc")


def compute_tag(checkout: pathlib.Path, files: Iterable[pathlib.Path], base: str) -> str:
    """Tag of images built from these files on this base: a hash of names, executable bits and contents."""
    digest = hashlib.sha256(base.encode())
    for file in files:
        content = (checkout / file).read_bytes()
        executable = os.access(checkout / file, os.X_OK)
        digest.update(f"\0{file}\0{executable}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:12]


def stage(checkout: pathlib.Path, files: Iterable[pathlib.Path], target: pathlib.Path) -> None:
    """Copy the files into a build context whose times are fixed, so that a builder's cache sees contents alone."""
    for file in files:
        copy = target / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(checkout / file, copy)
        copy.chmod(0o755 if os.access(checkout / file, os.X_OK) else 0o644)
        os.utime(copy, (0, 0))
    for folder, _, _ in os.walk(target):
        pathlib.Path(folder).chmod(0o755)
        os.utime(folder, (0, 0))
