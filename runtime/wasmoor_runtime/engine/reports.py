"""What a guest says of its progress, on the way to whoever called: bounded, and only if somebody wants to know.

Threat: a guest that reports in a loop would keep the front busy with frames. So a call may begin with a burst, and then
its reports come at a rate; those in between are left out. Numbers that do not grow are left out as MCP demands
(https://modelcontextprotocol.io/specification/2026-07-28/basic/utilities/progress). Pure but for the clock.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from wasmoor_runtime.ports import Report, Step

BURST = 20
SECONDS_PER_REPORT = 0.1
LONGEST_MESSAGE = 1000  # characters


class Reports:
    """The reports of the call at hand; a worker has one at a time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._report: Report | None = None
        self._last = -math.inf
        self._began = 0.0
        self._told = 0

    def begin(self, report: Report | None) -> None:
        """A call begins; None when nobody wants to hear."""
        self._report, self._last, self._told = report, -math.inf, 0
        self._began = self._clock() if report is not None else 0.0

    def tell(self, progress: float, total: float | None, message: str | None) -> None:
        """Pass on what the guest says, unless it is nothing new or too much."""
        if self._report is None or not math.isfinite(progress) or progress <= self._last:
            return
        if self._told >= BURST + (self._clock() - self._began) / SECONDS_PER_REPORT:
            return
        self._last = progress
        self._told += 1
        known = total if total is not None and math.isfinite(total) else None
        self._report(Step(progress=progress, total=known, message=(message or "")[:LONGEST_MESSAGE]))
