"""Mounts that containers and kubelet left in the node's folders. Called by node before it removes those folders."""

import pathlib
from collections.abc import Sequence

from tests.cluster import processes
from tests.cluster.errors import ClusterError


def parse_mounts(mountinfo: str, below: Sequence[pathlib.Path]) -> list[pathlib.Path]:
    """Mount points at or below the given folders, the latest first, from /proc/self/mountinfo (proc_pid_mountinfo(5)).

    Spaces, tabs, newlines and backslashes in a path are written there as octal numbers.
    """
    found = []
    for line in mountinfo.splitlines():
        escaped = line.split()[4]
        point = pathlib.Path(escaped.encode("latin-1", "backslashreplace").decode("unicode_escape"))
        if any(point == folder or folder in point.parents for folder in below):
            found.append(point)
    return found[::-1]


def unmount_below(folders: Sequence[pathlib.Path]) -> None:
    """Unmount everything at or below these folders; a busy mount is detached."""
    real = [folder.resolve() for folder in folders]
    umount = processes.find_program("umount")
    for point in parse_mounts(_read(), real):
        try:
            processes.run([umount, point])
        except ClusterError:
            processes.run([umount, "--lazy", point])
    if left := parse_mounts(_read(), real):
        raise ClusterError(f"{len(left)} mounts remain", where=str(left[0]), todo=f"umount {left[0]}")


def _read() -> str:
    return pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8")
