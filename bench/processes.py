"""What a process and all that it started cost: processor time and memory, from /proc."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
# proc(5): fields of /proc/PID/stat behind the name, which may hold blanks.
_PARENT, _USER, _SYSTEM, _DEAD_USER, _DEAD_SYSTEM = 1, 11, 12, 13, 14


def observe_cpu_seconds(pid: int) -> float:
    """Return what the process and its descendants have used, those that have ended included."""
    total = 0
    for each in (pid, *_descendants(pid)):
        fields = _read_fields(each)
        if fields:
            total += sum(int(fields[index]) for index in (_USER, _SYSTEM, _DEAD_USER, _DEAD_SYSTEM))
    return total / _TICKS


def observe_pss_mib(pid: int) -> float:
    """Return the proportional set size of the process and its descendants."""
    total = 0
    for each in (pid, *_descendants(pid)):
        try:
            lines = (_PROC / str(each) / "smaps_rollup").read_text("ascii").splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def _read_fields(pid: int) -> list[str]:
    try:
        return (_PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return []


def _descendants(pid: int) -> Iterator[int]:
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (fields := _read_fields(int(entry.name))):
            children.setdefault(int(fields[_PARENT]), []).append(int(entry.name))
    waiting = [pid]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            waiting.append(child)
            yield child
