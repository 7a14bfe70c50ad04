"""From a thread that transfers to an event loop that shows how far it is."""

from __future__ import annotations

import asyncio

from wasmoor_runtime.ports import Progress

# Progress is told in steps of this many bytes.
STEP = 1024 * 1024


def report_from_thread(progress: Progress | None) -> Progress:
    """Return a function for another thread that tells the event loop's `progress`, in steps."""
    if progress is None:
        return report_nothing
    loop = asyncio.get_running_loop()
    told = 0

    def report(done: int, size: int) -> None:
        nonlocal told
        if done == size or done < told or done - told >= STEP:
            told = done
            loop.call_soon_threadsafe(progress, done, size)

    return report


def report_nothing(done: int, size: int) -> None:
    """Nobody listens."""
