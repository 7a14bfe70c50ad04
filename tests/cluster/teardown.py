"""Ends the node and removes what it left, whatever state it is in. Called by node.

Threat: this kills processes and removes folders as root. It acts only on the cgroup, the namespace, the interface and
the folders whose names are derived from this checkout; a pid from a file is used only when the kernel says that this
process is in that cgroup and started when the file says.
"""

import contextlib
import pathlib
import shutil

from tests.cluster import cgroups, mounts, network, processes, state
from tests.cluster.paths import Paths
from tests.cluster.progress import Progress

# Clients before servers: an API server whose etcd has gone takes minutes to end.
ORDER = (
    ("kubelet", "kube-proxy", "kube-controller-manager", "kube-scheduler"),
    ("kube-apiserver",),
    ("etcd",),
)
# Seconds for each group to end by itself; what is killed then loses nothing, because all state goes.
STOP_SECONDS = 5.0
LINKS_TO_LOGS = pathlib.Path("/var/log/containers")


def is_present(paths: Paths) -> bool:
    """Whether anything of a node is there, running or not."""
    folders = (paths.node, paths.run)
    return (
        any(folder.exists() for folder in folders)
        or network.is_present(paths)
        or bool(cgroups.observe_folders(paths.name))
    )


def tear_down(paths: Paths, progress: Progress) -> None:
    """Stop in order, then kill what is left in the cgroup, then remove mounts, network, cgroup and folders."""
    known = state.read_state(paths.node)
    if known is not None:
        for names in ORDER:
            stop_known(known, names, paths)
    # Containers, shims, containerd, and whatever an interrupted start left unrecorded.
    left = cgroups.observe_members(paths.name)
    if left:
        progress.say(f"ending {len(left)} processes of pods and runtime")
    cgroups.kill_members(paths.name)
    mounts.unmount_below([paths.node, paths.run])
    network.remove(paths)
    cgroups.remove(paths.name)
    remove_log_links(LINKS_TO_LOGS, paths.node)
    for folder in (paths.run, paths.node):
        if folder.exists():
            shutil.rmtree(folder)


def stop_known(known: state.NodeState, names: tuple[str, ...], paths: Paths) -> None:
    """Ask these processes to end; those that are not surely ours are left alone."""
    ours = [
        process
        for name in names
        if (process := known.processes.get(name)) is not None and cgroups.is_member(process.pid, paths.name)
    ]
    processes.stop(ours, deadline=STOP_SECONDS)


def remove_log_links(folder: pathlib.Path, node: pathlib.Path) -> None:
    """Remove kubelet's links to this node's logs: their folder is fixed in kubelet and outside the node's own."""
    if not folder.is_dir():
        return
    for link in folder.iterdir():
        if link.is_symlink() and node in link.readlink().parents:
            link.unlink()
    with contextlib.suppress(OSError):
        folder.rmdir()
