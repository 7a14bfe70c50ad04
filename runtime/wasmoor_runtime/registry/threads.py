"""Running one blocking operation without blocking the event loop, with a deadline and real cancellation.

Each operation has a thread of its own: a registry that is slow keeps nobody else waiting.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable
from typing import TypeVar

from wasmoor_runtime.artifacts import refusals
from wasmoor_runtime.artifacts.refusals import Server
from wasmoor_runtime.registry.aborts import Abort

T = TypeVar("T")


async def run(
    operation: Callable[[Abort], T], *, subject: str, host: str, timeout: float, server: Server = refusals.REGISTRY
) -> T:
    """Return what the operation returns; after `timeout` seconds, or when cancelled, the operation is aborted.

    Raises:
        Refusal: the server's `unavailable` (waiting) at the deadline, or whatever the operation refuses.
    """
    abort = Abort()
    executor = concurrent.futures.ThreadPoolExecutor(max_workers=1, thread_name_prefix="registry")
    work = asyncio.get_running_loop().run_in_executor(executor, _run_and_close, operation, abort)
    executor.shutdown(wait=False)
    try:
        done, _ = await asyncio.wait({work}, timeout=timeout)
    finally:
        if not work.done():
            abort.set()
            work.add_done_callback(_forget)
    if not done:
        raise refusals.refuse_silence(
            subject, host, f"gave no complete answer within {timeout:g} seconds", server=server
        )
    return work.result()


def _run_and_close(operation: Callable[[Abort], T], abort: Abort) -> T:
    try:
        return operation(abort)
    finally:
        abort.close()


def _forget(work: asyncio.Future[T]) -> None:
    """Take note of how an aborted operation ended, so that nobody reports it as unhandled."""
    if not work.cancelled():
        work.exception()
