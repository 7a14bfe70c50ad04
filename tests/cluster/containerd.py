"""Speaks with a containerd through its own command, `ctr`: which images it has, and importing more.

Called by bringup and images. The namespace `k8s.io` is where kubelet looks.
"""

import pathlib

from tests.cluster import processes
from tests.cluster.errors import ClusterError

IMPORT_SECONDS = 300.0


class Containerd:
    """One containerd, known by its socket (an absolute path: `ctr` 2.x takes no other)."""

    def __init__(self, socket: pathlib.Path) -> None:
        self._ctr = [processes.find_program("ctr"), "--address", str(socket), "--namespace", "k8s.io"]

    def is_ready(self) -> bool:
        """Whether it answers."""
        try:
            processes.run([*self._ctr, "version"], timeout=10)
        except ClusterError:
            return False
        return True

    def observe_images(self) -> set[str]:
        """Full names of all images, such as `docker.io/library/name:tag`."""
        return set(processes.run([*self._ctr, "images", "list", "--quiet"]).split())

    def import_archive(self, archive: pathlib.Path) -> None:
        """Import an OCI archive under the name that stands in it."""
        processes.run([*self._ctr, "images", "import", archive], timeout=IMPORT_SECONDS)
