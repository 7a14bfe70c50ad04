from __future__ import annotations

import mmap
import os
from pathlib import Path

import pytest

from wasmoor_runtime.engine import usage
from wasmoor_runtime.engine.usage import UNTOLD, Reading

MIB = 1024 * 1024


def test_what_is_used_is_the_difference_of_two_readings() -> None:
    used = usage.decide_usage(Reading(1_000, 5 * MIB, 10, 100), Reading(2_001_000, 7 * MIB, 13, 160), 9)

    assert (used.cpu_seconds, used.memory_bytes, used.fuel) == (0.002, 2 * MIB, 9)
    assert (used.io_operations, used.io_bytes) == (3, 60)


def test_memory_that_was_given_back_is_not_less_than_none() -> None:
    assert usage.decide_usage(Reading(0, 5 * MIB, 0, 0), Reading(0, MIB, 0, 0), None).memory_bytes == 0


@pytest.mark.parametrize(("before", "after"), [(UNTOLD, UNTOLD), (3, UNTOLD), (UNTOLD, 3)])
def test_where_the_kernel_does_not_tell_of_reading_and_writing_nothing_is_said(before: int, after: int) -> None:
    used = usage.decide_usage(Reading(0, 0, before, 0), Reading(0, 0, after, 0), None)

    assert (used.io_operations, used.io_bytes) == (None, None)


def test_measuring_does_not_measure_itself(tmp_path: Path) -> None:
    meter = usage.Meter(os.getpid())
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1000)
    fd = os.open(path, os.O_RDONLY)

    before = meter.begin()
    nothing = usage.decide_usage(before, meter.read(), None)
    before = meter.begin()
    os.pread(fd, 1000, 0)
    os.pread(fd, 500, 0)
    something = usage.decide_usage(before, meter.read(), None)
    os.close(fd)
    meter.close()

    assert (nothing.io_operations, nothing.io_bytes) == (0, 0)
    assert (something.io_operations, something.io_bytes) == (2, 1500)


def test_memory_counts_when_it_may_be_written_touched_or_not() -> None:
    meter = usage.Meter(os.getpid())

    before = meter.begin()
    held = mmap.mmap(-1, 64 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    used = usage.decide_usage(before, meter.read(), None)
    held.close()
    meter.close()

    assert 64 * MIB <= used.memory_bytes < 66 * MIB


def test_a_process_that_is_gone_cannot_be_read() -> None:
    with pytest.raises(FileNotFoundError):
        usage.Meter(1 << 30)


def test_without_wasm_there_is_no_linear_memory() -> None:
    assert usage.measure_largest_memory() == 0


def test_a_linear_memory_is_what_can_be_written_before_what_is_merely_reserved() -> None:
    text = b"""\
10000000-10010000 rw-p 00000000 00:00 0
10010000-10100000 rw-p 00000000 00:01 7 /memfd:image
10100000-210000000 ---p 00000000 00:00 0
7f0000000000-7f0000001000 r-xp 00000000 00:00 0 [vdso]
"""
    assert usage.find_largest_memory(text) == 0x100000


def test_what_was_spent_ahead_counts_as_used_by_the_call() -> None:
    spent = usage.decide_spent(Reading(1_000, 5 * MIB, 10, 100), Reading(4_000, 6 * MIB, 12, 130))
    before = usage.carry(Reading(9_000, 6 * MIB, 20, 200), spent)

    assert before == Reading(6_000, 5 * MIB, 18, 170)
    assert usage.carry(Reading(9_000, 6 * MIB, UNTOLD, 0), spent).operations == UNTOLD
    assert usage.carry(before, usage.NOTHING) == before
