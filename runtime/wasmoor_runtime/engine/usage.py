"""What a process has used, as the kernel counts it: read before and after a call, by its worker or by the front.

One call at a time runs in a worker, so the difference is the call's. wasmtime's C API tells neither how large a memory
is nor that one was refused growth; the kernel knows the first to the byte, because a linear memory is made writable
page by page as it grows, and never shrinks before its store is closed. Two readings take about 3 µs.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from wasmoor_runtime.ports import Usage

_PAGE = os.sysconf("SC_PAGE_SIZE")
_DATA_FIELD = 5  # of /proc/PID/statm: private memory that may be written, in pages, touched or not
_ENOUGH = 512  # bytes; both files are shorter
UNTOLD = (1 << 64) - 1
# See clock_getcpuclockid(3): the clock of all threads of a process is made of its pid.
_CPU_CLOCK_OF_PROCESS = 2
# wasmtime reserves 4 GiB of addresses for each linear memory; what is not in use yet can be neither read nor written.
_RESERVED_AT_LEAST = 1 << 30


class Reading(NamedTuple):
    """The counters of one process at one moment. A tuple, because two are made for every call."""

    cpu_ns: int
    data_bytes: int
    operations: int  # `UNTOLD` where the kernel does not tell
    moved: int


NOTHING = Reading(0, 0, 0, 0)


def decide_spent(before: Reading, after: Reading) -> Reading:
    """Return by how much the counters grew."""
    told = UNTOLD not in {before.operations, after.operations}
    operations = (after.operations - before.operations, after.moved - before.moved) if told else (0, 0)
    return Reading(after.cpu_ns - before.cpu_ns, after.data_bytes - before.data_bytes, *operations)


def carry(reading: Reading, spent: Reading) -> Reading:
    """Return the counters as they would be, had something not been spent yet: what is used counts from there."""
    told = reading.operations != UNTOLD
    return Reading(
        reading.cpu_ns - spent.cpu_ns,
        max(reading.data_bytes - spent.data_bytes, 0),
        reading.operations - spent.operations if told else UNTOLD,
        reading.moved - spent.moved if told else reading.moved,
    )


class Meter:
    """Reads the counters of one process, its own or another's."""

    def __init__(self, pid: int) -> None:
        """Open the files; `OSError` when there is no such process."""
        self._clock = (~pid << 3) | _CPU_CLOCK_OF_PROCESS
        self._statm = os.open(f"/proc/{pid}/statm", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._io = os.open(f"/proc/{pid}/io", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._io = -1  # a kernel without task accounting, or one that keeps it from us

    def begin(self) -> Reading:
        """Return the counters of this very process before a call, with what reading them adds."""
        operations, moved, size = self._read_io()
        statm = os.pread(self._statm, _ENOUGH, 0)
        if operations != UNTOLD:
            operations, moved = operations + 2, moved + size + len(statm)
        return Reading(time.clock_gettime_ns(self._clock), _parse_data(statm), operations, moved)

    def read(self) -> Reading:
        """Return the counters; `OSError` when the process is gone."""
        operations, moved, _ = self._read_io()
        data = _parse_data(os.pread(self._statm, _ENOUGH, 0))
        return Reading(time.clock_gettime_ns(self._clock), data, operations, moved)

    def close(self) -> None:
        """Close the files."""
        os.close(self._statm)
        if self._io >= 0:
            os.close(self._io)

    def _read_io(self) -> tuple[int, int, int]:
        """Return operations, bytes moved, and how many bytes the answer had."""
        if self._io < 0:
            return UNTOLD, 0, 0
        try:
            text = os.pread(self._io, _ENOUGH, 0)
        except OSError:
            return UNTOLD, 0, 0
        words = text.split(None, 8)  # rchar: N wchar: N syscr: N syscw: N …, see proc_pid_io(5)
        return int(words[5]) + int(words[7]), int(words[1]) + int(words[3]), len(text)


def decide_usage(before: Reading, after: Reading, fuel: int | None) -> Usage:
    """Return what was used between two readings."""
    cpu_ns, data_bytes, operations, moved = before
    told = UNTOLD not in {operations, after.operations}
    return Usage(
        cpu_seconds=max(after.cpu_ns - cpu_ns, 0) / 1e9,
        memory_bytes=max(after.data_bytes - data_bytes, 0),
        fuel=fuel,
        io_operations=max(after.operations - operations, 0) if told else None,
        io_bytes=max(after.moved - moved, 0) if told else None,
    )


def measure_largest_memory() -> int:
    """Return the bytes of this process's largest linear memory; 0 when there is none. Takes some 20 µs."""
    return find_largest_memory(Path("/proc/self/maps").read_bytes())


def find_largest_memory(maps: bytes) -> int:
    """Return the same from the text of a `/proc/PID/maps`."""
    ranges = list(_parse_maps(maps))
    return max(
        (
            end - start
            for (start, end, rights), (after, until, theirs) in itertools.pairwise(ranges)
            if rights == b"rw-p" and theirs == b"---p" and end == after and until - after > _RESERVED_AT_LEAST
        ),
        default=0,
    )


def _parse_data(statm: bytes) -> int:
    return int(statm.split(None, _DATA_FIELD + 1)[_DATA_FIELD]) * _PAGE


def _parse_maps(text: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield start, end and rights; neighbours with equal rights are one (an image at the start of a memory)."""
    last: tuple[int, int, bytes] | None = None
    for line in text.splitlines():
        addresses, rights, _ = line.split(None, 2)
        start, _, end = addresses.partition(b"-")
        found = int(start, 16), int(end, 16), rights
        if last is not None and last[1] == found[0] and last[2] == rights:
            last = last[0], found[1], rights
            continue
        if last is not None:
            yield last
        last = found
    if last is not None:
        yield last
