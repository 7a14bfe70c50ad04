"""The cluster's cgroup: which processes are ours, and how all of them are ended.

Every process of a cluster is in the cgroup named after its checkout, or below it: daemons and shims because they are
started there, containers because kubelet's cgroupRoot is there. The kernel keeps that record, so it is right even
after the command, the daemons or the machine's memory of pids were lost. Works with cgroup v1 hierarchies and with v2.
Called by node.
"""

import contextlib
import os
import pathlib
import signal
import time

from tests.cluster.errors import ClusterError

DAEMONS = "daemons"


def parse_hierarchies(mountinfo: str) -> dict[str, pathlib.Path]:
    """Mount points of all cgroup hierarchies by their v1 controllers (`pids`, `cpu,cpuacct`) or `unified` for v2."""
    found: dict[str, pathlib.Path] = {}
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        root, mount_point = before.split()[3:5]
        kind, _, super_options = after.split(maxsplit=2)
        if root != "/":
            continue
        if kind == "cgroup2":
            found.setdefault("unified", pathlib.Path(mount_point))
        elif kind == "cgroup":
            controllers = [word for word in super_options.split(",") if word not in {"rw", "ro", "xattr"}]
            name = ",".join(word.removeprefix("name=") for word in controllers if "release_agent" not in word)
            found.setdefault(name, pathlib.Path(mount_point))
    return found


def observe_hierarchies() -> dict[str, pathlib.Path]:
    """The cgroup hierarchies of this machine."""
    return parse_hierarchies(pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8"))


def is_unified(hierarchies: dict[str, pathlib.Path]) -> bool:
    """Whether the machine uses v2 alone; hybrid machines keep their controllers in v1."""
    return set(hierarchies) == {"unified"}


def create(name: str) -> list[pathlib.Path]:
    """Create the cgroup in every hierarchy and return the `cgroup.procs` files that a daemon enters."""
    hierarchies = observe_hierarchies()
    if is_unified(hierarchies):
        top = hierarchies["unified"] / name
        (top / DAEMONS).mkdir(parents=True, exist_ok=True)
        return [top / DAEMONS / "cgroup.procs"]
    v1 = {controllers: point for controllers, point in hierarchies.items() if controllers != "unified"}
    if "pids" not in v1:
        raise ClusterError("no pids cgroup is mounted", where="/sys/fs/cgroup", todo="mount the cgroup hierarchies")
    for point in v1.values():
        (point / name).mkdir(exist_ok=True)
        _copy_cpuset(point, point / name)
    # Membership in one hierarchy is enough to be found; limits and accounting of the daemons stay the caller's.
    (v1["pids"] / name / DAEMONS).mkdir(exist_ok=True)
    return [v1["pids"] / name / DAEMONS / "cgroup.procs"]


def _copy_cpuset(parent: pathlib.Path, child: pathlib.Path) -> None:
    """A v1 cpuset starts empty, and nothing can enter it until it has processors and memory nodes."""
    for file in ("cpuset.cpus", "cpuset.mems"):
        if (child / file).is_file():
            (child / file).write_text((parent / file).read_text(encoding="ascii"), encoding="ascii")


def observe_folders(name: str) -> list[pathlib.Path]:
    """Every folder of the cgroup in every hierarchy, deepest first."""
    tops = [point / name for point in observe_hierarchies().values()]
    found = [pathlib.Path(folder) for top in tops for folder, _, _ in os.walk(top)]
    return sorted(found, key=lambda folder: len(folder.parts), reverse=True)


def observe_members(name: str) -> set[int]:
    """Pids of all processes in the cgroup, in any hierarchy."""
    pids: set[int] = set()
    for folder in observe_folders(name):
        with contextlib.suppress(OSError):
            pids.update(int(line) for line in (folder / "cgroup.procs").read_text(encoding="ascii").split())
    return pids


def is_member(pid: int, name: str) -> bool:
    """Whether a process is in the cgroup or below it, by the kernel's own record."""
    try:
        text = pathlib.Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8")
    except OSError:
        return False
    return any(line.split(":", 2)[2].split("/")[1] == name for line in text.splitlines())


def kill_members(name: str, *, deadline: float = 30.0) -> None:
    """Kill every process of the cgroup and wait until all are gone.

    The descriptor is opened before membership is read, so a pid that came to mean another process is never signalled.
    """
    end = time.monotonic() + deadline
    while members := observe_members(name):
        if time.monotonic() > end:
            raise ClusterError(
                f"{len(members)} processes do not end", where=f"cgroup {name}", todo="see `ps` for processes in state D"
            )
        for pid in members:
            with contextlib.suppress(ProcessLookupError):
                descriptor = os.pidfd_open(pid)
                try:
                    if is_member(pid, name):
                        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                finally:
                    os.close(descriptor)
        time.sleep(0.05)


def remove(name: str, *, deadline: float = 10.0) -> None:
    """Remove the empty cgroup from every hierarchy; the kernel may need a moment after the last process."""
    end = time.monotonic() + deadline
    while folders := observe_folders(name):
        for folder in folders:
            with contextlib.suppress(OSError):
                folder.rmdir()
        if time.monotonic() > end:
            raise ClusterError("a cgroup cannot be removed", where=str(folders[-1]), todo="look for processes in it")
        time.sleep(0.02)
