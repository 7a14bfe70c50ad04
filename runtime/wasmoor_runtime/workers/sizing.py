"""How many workers there should be, and how long to wait before another try.

Pure. A fixed number of one-call workers would let two sleeping guests stop a component; one worker for every allowed
call would cost memory that most never need.
"""

from __future__ import annotations

from dataclasses import dataclass

BASE_WORKERS = 2
# Two for every call that is slow: one takes its place, one is there before the next caller comes.
WORKERS_PER_SLOW_CALL = 2
SLOW_NS = 50_000_000
# Frames in the kernel's queue cannot be withdrawn, so it is kept short; this many hide the round trip.
AHEAD = 2

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the pool sees when it decides."""

    limit: int  # workers at most
    slow: int  # workers whose call is older than SLOW_NS


def decide_workers(load: Load) -> int:
    """Return how many workers there should be."""
    return min(load.limit, min(load.limit, BASE_WORKERS) + WORKERS_PER_SLOW_CALL * load.slow)


def decide_delay(failures: int) -> float:
    """Return how many seconds to wait after that many failures in a row; none after none."""
    return 0.0 if failures <= 0 else min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(failures - 1, 16))
