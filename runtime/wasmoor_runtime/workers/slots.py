"""A table in shared memory that says which worker runs which call since when.

One row for every worker there may be: the id of its call (0 for none), when it began (CLOCK_MONOTONIC ns), and what the
process had used by then, so that the front can tell what a running call uses, or one that it ends. Workers
write their own row, the front reads all of them, and the zygote reads one before it kills: it does so while the worker
is stopped, so that a worker that has gone on to another call is spared.
"""

from __future__ import annotations

import mmap
import os

from wasmoor_runtime.engine.usage import Reading

_FIELDS = 6
_WORD = 8
_CALL, _SINCE, _USED = range(3)  # `_USED` and what follows hold a `usage.Reading`


class SlotTable:
    """The table, mapped. Rows are counted from 0."""

    def __init__(self, fd: int, rows: int) -> None:
        """Map a table of that many rows; the descriptor may be closed afterwards."""
        self._memory = mmap.mmap(fd, rows * _FIELDS * _WORD)
        self._words = memoryview(self._memory).cast("Q")
        self._rows = rows

    @staticmethod
    def allocate(rows: int) -> int:
        """Return a descriptor of new shared memory for that many rows."""
        fd = os.memfd_create("wasmoor-slots", os.MFD_CLOEXEC)
        os.ftruncate(fd, rows * _FIELDS * _WORD)
        return fd

    def begin(self, row: int, call: int, now_ns: int, used: Reading) -> None:
        """Say that this worker has begun a call, and what its process had used before."""
        words, base = self._words, row * _FIELDS
        words[base + _SINCE] = now_ns
        words[base + _USED] = used.cpu_ns
        words[base + _USED + 1] = used.data_bytes
        words[base + _USED + 2] = used.operations
        words[base + _USED + 3] = used.moved
        words[base + _CALL] = call

    def used(self, row: int) -> Reading:
        """Return what this worker's process had used when its call began."""
        base = row * _FIELDS + _USED
        return Reading(*self._words[base : base + 4])

    def end(self, row: int) -> None:
        """Say that this worker is free."""
        self._words[row * _FIELDS + _CALL] = 0

    def call(self, row: int) -> int:
        """Return the id of the call that this worker runs, 0 for none."""
        return self._words[row * _FIELDS + _CALL]

    def running(self) -> dict[int, tuple[int, int]]:
        """Return call id and start by row, for every worker that runs a call."""
        words = self._words
        rows = range(self._rows)
        return {
            row: (words[row * _FIELDS + _CALL], words[row * _FIELDS + _SINCE])
            for row in rows
            if words[row * _FIELDS + _CALL]
        }

    def find(self, call: int) -> int | None:
        """Return the row of the worker that runs this call."""
        return next((row for row in range(self._rows) if self._words[row * _FIELDS + _CALL] == call), None)

    def close(self) -> None:
        """Unmap."""
        self._words.release()
        self._memory.close()
