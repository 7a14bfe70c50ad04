"""Processes that outlive the command which starts them, and how to end exactly those.

A process is known by its pid *and* the moment it started (proc_pid_stat(5), field 22) in this boot, because pids are
used again. Nothing is ever signalled on the word of a pid alone. Callers: node, registry, control_plane.
"""

import contextlib
import dataclasses
import os
import pathlib
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence

from tests.cluster.errors import ClusterError

BOOT_ID = pathlib.Path("/proc/sys/kernel/random/boot_id")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One started process; `started` is in clock ticks since `boot`."""

    pid: int
    started: int
    boot: str


def parse_start_time(stat: str) -> int:
    """Start time from the text of /proc/PID/stat; the command name may hold spaces and parentheses."""
    return int(stat.rpartition(")")[2].split()[19])


def observe_process(pid: int) -> Process | None:
    """Identify a running process; None when there is none, or only its zombie."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    if stat.rpartition(")")[2].split()[0] in {"Z", "X"}:
        return None
    return Process(pid=pid, started=parse_start_time(stat), boot=BOOT_ID.read_text(encoding="ascii").strip())


def is_running(process: Process) -> bool:
    """Whether this very process still runs, and not a later one with its pid."""
    return observe_process(process.pid) == process


def start(
    command: Sequence[str | pathlib.Path],
    *,
    log: pathlib.Path,
    path: str = os.defpath,
    cgroup_procs: Sequence[pathlib.Path] = (),
    namespace: pathlib.Path | None = None,
    dies_with_parent: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, its output appended to `log`.

    Args:
        command: absolute program and arguments.
        log: file that receives both output streams.
        path: PATH of the program; the rest of its environment is empty but for HOME (no proxy settings leak in).
        cgroup_procs: `cgroup.procs` files it enters before it becomes the program, so that it is never outside.
        namespace: network namespace file to run in.
        dies_with_parent: the kernel kills it when the *thread* that called this ends, however that happens.
    """
    prefix: list[str] = []
    if cgroup_procs:
        enter = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 97; shift; done; shift; exec "$@"'
        prefix += ["/bin/sh", "-c", enter, "enter", *map(str, cgroup_procs), "--"]
    if namespace is not None:
        prefix += [find_program("nsenter"), f"--net={namespace}"]
    if dies_with_parent:
        prefix += [find_program("setpriv"), "--pdeathsig", "KILL"]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [*prefix, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={"PATH": path, "HOME": str(log.parent)},
            cwd="/",
            start_new_session=True,
        )


def identify(started: subprocess.Popen[bytes]) -> Process | None:
    """Identify a child that was just started; None when it has ended already."""
    return observe_process(started.pid)


def send(process: Process, number: signal.Signals) -> None:
    """Signal this very process, through a descriptor that cannot come to mean another one; no error if it is gone."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(process.pid)
        try:
            if is_running(process):
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)


def stop(running: Sequence[Process], *, deadline: float) -> None:
    """Ask all to end at once, wait up to `deadline` seconds together, then kill those that are left."""
    for process in running:
        send(process, signal.SIGTERM)
    if not wait_until_gone(running, deadline=deadline):
        for process in running:
            send(process, signal.SIGKILL)
        wait_until_gone(running, deadline=5.0)


def wait_until_gone(running: Sequence[Process], *, deadline: float) -> bool:
    """Wait until none of them runs; False when the deadline (seconds) came first."""
    end = time.monotonic() + deadline
    while any(is_running(process) for process in running):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def find_program(name: str) -> str:
    """Absolute path of a host program, administrators' folders included."""
    path = os.environ.get("PATH", os.defpath) + ":/usr/local/sbin:/usr/sbin:/sbin"
    found = shutil.which(name, path=path)
    if found is None:
        raise ClusterError(
            f"the program {name} is missing", where="PATH", todo="run `python3 -m tests.cluster install` as root"
        )
    return found


def run(command: Sequence[str | pathlib.Path], *, timeout: float = 60.0, given: str | None = None) -> str:
    """Run a short command to its end and return its output; a failure is told with the command's last words."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, input=given, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as expired:
        raise ClusterError(
            f"{words[0]} took longer than {timeout:.0f} s", where=" ".join(words[:6]), todo="look at the machine's load"
        ) from expired
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise ClusterError(
            f"{pathlib.Path(words[0]).name} failed: {last}", where=" ".join(words[:8]), todo="mend that and try again"
        )
    return done.stdout


def read_last_line(log: pathlib.Path) -> str:
    """The last line of a log, for error messages; empty when there is none."""
    with contextlib.suppress(OSError):
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else ""
    return ""
