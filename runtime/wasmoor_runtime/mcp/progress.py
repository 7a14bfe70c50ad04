"""Carries what a component says of its progress to the client that asked for it, while its call runs.

A call reports on the event loop and must not wait; the client's stream may be slow. Between them is a small queue, and
what does not fit is left out: the next step says more anyway. Built by `server` for each call with a progress token.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Protocol

from wasmoor_runtime.ports import Report, Step

_LARGEST_BACKLOG = 64
# How long an answer may wait for its last steps, when the client is slow to take them.
_LAST_SECONDS = 1.0


class Session(Protocol):
    """The SDK's session, as far as it is used here."""

    async def report_progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Send one notification to the caller of this request; do nothing if it asked for none."""


@contextlib.asynccontextmanager
async def relay(session: Session) -> AsyncIterator[Report]:
    """Yield what takes steps; leaving sends those that are left, so that none comes after the answer."""
    queue: asyncio.Queue[Step | None] = asyncio.Queue(_LARGEST_BACKLOG)
    sending = asyncio.create_task(_send(queue, session))

    def report(step: Step) -> None:
        # One place is kept for the end.
        if queue.qsize() < _LARGEST_BACKLOG - 1:
            queue.put_nowait(step)

    try:
        yield report
        queue.put_nowait(None)
        await asyncio.wait((sending,), timeout=_LAST_SECONDS)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


async def _send(queue: asyncio.Queue[Step | None], session: Session) -> None:
    while (step := await queue.get()) is not None:
        await session.report_progress(step.progress, step.total, step.message or None)
