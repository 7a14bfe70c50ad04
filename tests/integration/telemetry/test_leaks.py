"""Calls that end badly leave nothing behind, in no process: no descriptor, no memory, no slot, no span.

By default as many calls as a test may take; `make leaks CALLS=100000` makes that many of each kind.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.workers.pools import assemble, children, workers
from wasmoor_runtime import parts
from wasmoor_runtime.contract.document import CallLimits, ComponentRef, Contract, PinnedFileSource
from wasmoor_runtime.host.component import ComponentHost
from wasmoor_runtime.telemetry.observers import Observers, Wishes
from wasmoor_runtime.workers.pool import ProcessPool

pytestmark = pytest.mark.integration

CALLS = int(os.environ.get("WASMOOR_LEAK_CALLS", "2000"))
AT_ONCE = 8
MIB = 1024 * 1024
# Allocators keep some of what they are given; what leaks comes back with every call.
SLACK_BYTES = 3 * MIB
SLACK_BYTES_PER_CALL = 40

COMPONENT = """
(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "trap") (unreachable))
    (func (export "take")
      (loop $more
        (if (i32.eq (memory.grow (i32.const 8)) (i32.const -1)) (then (unreachable)))
        (i32.store (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 8)) (i32.const 1))
        (br $more)))
    (func (export "spin") (loop $again (br $again))))
  (core instance $i (instantiate $m))
  (func (export "trap") (canon lift (core func $i "trap")))
  (func (export "take") (canon lift (core func $i "take")))
  (func (export "spin") (canon lift (core func $i "spin"))))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the processes hold at one moment."""

    descriptors: tuple[int, int, int]  # front, zygote, the most of any worker
    front_bytes: int
    zygote_bytes: int
    worker_bytes: int  # the most of any worker
    processes: int


def count_descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def measure_bytes(pid: int) -> int:
    """Return the memory that is a process's own (PSS would change with the number of those that share)."""
    sizes = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines()[1:])
    return sum(int(sizes[name].split()[0]) for name in ("Private_Clean", "Private_Dirty")) * 1024


class Bench:
    """One component, served with everybody listening."""

    def __init__(self, host: ComponentHost) -> None:
        self.host = host

    @property
    def pool(self) -> ProcessPool:
        pool = self.host._pool
        assert isinstance(pool, ProcessPool)
        return pool

    def is_at_rest(self) -> bool:
        """Return whether nothing runs, nothing waits, and the surplus of workers is gone."""
        pool = self.pool
        resting = not (pool._waiting or pool._crew.running() or self.host._calls)
        return resting and pool.status().alive == len(workers(pool)) == 2

    async def measure(self) -> Held:
        """Look once nothing runs and the usual two workers are there."""
        async with asyncio.timeout(60):
            while not self.is_at_rest():  # noqa: ASYNC110 - these are other processes
                await asyncio.sleep(0.02)
        gc.collect()
        crew = workers(self.pool)
        generation = self.pool._crew.generation
        assert generation is not None
        zygote = generation._process.pid
        return Held(
            descriptors=(count_descriptors(os.getpid()), count_descriptors(zygote), max(map(count_descriptors, crew))),
            front_bytes=measure_bytes(os.getpid()),
            zygote_bytes=measure_bytes(zygote),
            worker_bytes=max(map(measure_bytes, crew)),
            processes=len(children(zygote)),
        )

    async def end_with(self, function: str, verdict: str) -> None:
        tool = self.host.find_tool(function)
        assert tool is not None
        outcome = await self.host.call(tool, b"{}")
        assert outcome.verdict == verdict, outcome

    async def cancel(self) -> None:
        tool = self.host.find_tool("spin")
        assert tool is not None
        task = asyncio.create_task(self.host.call(tool, b"{}"))
        await asyncio.sleep(0.002)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    path = assemble(tmp_path, COMPONENT)
    contract = Contract(
        component=ComponentRef(namespace="tools", name="bad"),
        source=PinnedFileSource(path=str(path)),
        limits=CallLimits(memory_bytes=4 * MIB),
    )

    async def discover() -> Contract:
        return contract

    observers = Observers(tuple, Wishes(), {}, version="0")
    host = ComponentHost(contract.component, discover, parts.build(tmp_path / "cache"), listeners=observers.listeners)
    host.start()
    await asyncio.wait_for(host.running.wait(), 60)
    yield Bench(host)
    await host.stop(0)
    await observers.close()


async def repeat(work: Callable[[], Awaitable[None]], times: int) -> None:
    """Do it so many times, some at once."""

    async def some(count: int) -> None:
        for _ in range(count):
            await work()

    await asyncio.gather(*(some(times // AT_ONCE) for _ in range(AT_ONCE)))


async def check(bench: Bench, work: Callable[[], Awaitable[None]], times: int) -> None:
    """Fail when what is held grows with the number of calls."""
    await repeat(work, max(times // 4, 200))
    before = await bench.measure()
    await repeat(work, times)
    after = await bench.measure()
    allowed = SLACK_BYTES + SLACK_BYTES_PER_CALL * times
    sys.stdout.write(f"{times} calls\n  before {before}\n  after  {after}\n")
    assert after.descriptors == before.descriptors
    assert after.processes == before.processes
    assert after.front_bytes - before.front_bytes < allowed
    assert after.zygote_bytes - before.zygote_bytes < allowed
    assert after.worker_bytes - before.worker_bytes < allowed


async def test_calls_that_trap_leave_nothing_behind(bench: Bench) -> None:
    await check(bench, lambda: bench.end_with("trap", "Trapped"), CALLS)


async def test_calls_that_run_out_of_memory_leave_nothing_behind(bench: Bench) -> None:
    await check(bench, lambda: bench.end_with("take", "OutOfMemory"), CALLS)


async def test_calls_that_are_cancelled_leave_nothing_behind(bench: Bench) -> None:
    # Each ends a worker and begins another: a tenth as many take as long.
    await check(bench, bench.cancel, CALLS if "WASMOOR_LEAK_CALLS" in os.environ else CALLS // 4)
