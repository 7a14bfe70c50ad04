"""The workers of one pool: as many as are needed, replaced when they end, and never faster than they die.

Bookkeeping in the front's event loop. It knows workers by their row in the slot table and nothing of calls but which
row runs which; `pool` tells it what happened and when to look.
"""

from __future__ import annotations

import asyncio
import logging
import time

from wasmoor_runtime.ports import Usage
from wasmoor_runtime.workers import frames, sizing
from wasmoor_runtime.workers.generation import Generation

_RETIRE_SECONDS = 5.0  # how long workers that are not needed are kept

logger = logging.getLogger(__name__)


class Crew:
    """The workers of the generation that is attached; none while there is none."""

    def __init__(self, limit: int) -> None:
        """Allow that many workers at most."""
        self.generation: Generation | None = None
        self.failures = 0  # workers and zygotes that died since the last answer
        self.replaced = 0
        self.crashed = 0
        self._limit = limit
        self._alive: set[int] = set()
        self._forking: set[int] = set()
        self._ending: set[int] = set()  # asked to be killed
        self._fork_later: asyncio.TimerHandle | None = None
        self._retire_at = 0.0

    @property
    def size(self) -> int:
        """How many workers there are."""
        return len(self._alive)

    def running(self) -> dict[int, tuple[int, int]]:
        """Return call id and start (CLOCK_MONOTONIC ns) by row, for every worker that runs a call."""
        return self.generation.table.running() if self.generation else {}

    def attach(self, generation: Generation) -> None:
        """Take over a new zygote, and have it fork."""
        self.generation = generation
        self.top_up()

    def detach(self) -> Generation | None:
        """Forget the zygote and all its workers; returns it."""
        generation, self.generation = self.generation, None
        for rows in (self._alive, self._forking, self._ending):
            rows.clear()
        if self._fork_later is not None:
            self._fork_later.cancel()
            self._fork_later = None
        return generation

    def welcome(self, row: int) -> None:
        """A worker is there."""
        self._forking.discard(row)
        self._alive.add(row)

    def spare(self, row: int) -> None:
        """A worker was not killed, because it had gone on to another call."""
        self._ending.discard(row)

    def bury(self, row: int, *, killed: bool, cause: str) -> None:
        """A worker is gone; `cause` is empty when it ended as it should."""
        for rows in (self._alive, self._forking, self._ending):
            rows.discard(row)
        if killed:
            self.replaced += 1
        elif cause:
            self.crashed += 1
            self.failures += 1
            logger.warning("a worker %s", cause)

    def kill(self, call: int, row: int | None = None) -> None:
        """End the worker that runs this call, if one does."""
        if self.generation is None:
            return
        if row is None:
            row = self.generation.table.find(call)
        if row is not None and row in self._alive | self._forking and row not in self._ending:
            self._ending.add(row)
            self.generation.kill(row, call)

    def measure(self, row: int | None, call: int) -> Usage | None:
        """Return what this running call has used so far; None when it has ended or cannot be asked."""
        if self.generation is None:
            return None
        if row is None:
            row = self.generation.table.find(call)
        return None if row is None else self.generation.measure(row, call)

    def top_up(self) -> None:
        """Ask for the workers that are missing, later if they have been dying at once."""
        if self.generation is None or self._fork_later is not None:
            return
        delay = sizing.decide_delay(self.failures)
        if delay:
            self._fork_later = asyncio.get_running_loop().call_later(delay, self._fork_missing)
        else:
            self._fork_missing()

    def retire(self) -> None:
        """Let go of workers beyond what is wanted, some seconds after they were last needed."""
        surplus = len(self._alive) - self._wanted()
        now = time.monotonic()
        if surplus <= 0:
            self._retire_at = now + _RETIRE_SECONDS
        elif now >= self._retire_at and self.generation is not None:
            self._retire_at = now + _RETIRE_SECONDS
            for _ in range(surplus):
                self.generation.send(frames.Request(call=0, deadline_ns=0, kind=frames.RETIRE))

    def _wanted(self) -> int:
        now = time.monotonic_ns()
        slow = sum(now - since > sizing.SLOW_NS for _, since in self.running().values())
        return sizing.decide_workers(sizing.Load(limit=self._limit, slow=slow))

    def _fork_missing(self) -> None:
        self._fork_later = None
        if self.generation is None:
            return
        taken = self._alive | self._forking
        free = [row for row in range(self._limit) if row not in taken]
        for row in free[: max(0, self._wanted() - len(taken))]:
            self._forking.add(row)
            self.generation.fork(row)
