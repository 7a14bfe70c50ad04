from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.integration.workers.pools import Pools, call, find_component, is_alive, result, until, workers
from wasmoor_runtime.ports import Outcome, Verdict
from wasmoor_runtime.workers import sizing
from wasmoor_runtime.workers.pool import ProcessPool

pytestmark = pytest.mark.integration


@contextlib.asynccontextmanager
async def quick_calls(pool: ProcessPool, function: str, **arguments: Any) -> AsyncIterator[list[Outcome]]:
    """Have two callers call all the time; none of their calls may be lost."""
    outcomes: list[Outcome] = []
    stopped = asyncio.Event()

    async def keep_calling() -> None:
        while not stopped.is_set():
            outcomes.append(await call(pool, function, **arguments))
            await asyncio.sleep(0)

    callers = [asyncio.create_task(keep_calling()) for _ in range(2)]
    yield outcomes
    stopped.set()
    await asyncio.gather(*callers)
    assert {each.verdict for each in outcomes} == {Verdict.OK}


@pytest.mark.parametrize(
    ("component", "slow", "quick"),
    [
        ("fixtures/spin", ("spin", {}), ("ping", {})),
        ("fixtures/sleep", ("sleep", {"milliseconds": 60_000}), ("sleep", {"milliseconds": 0})),
    ],
    ids=["a loop", "a sleep inside the host"],
)
async def test_a_call_without_end_is_answered_at_its_deadline_while_others_go_on(
    pools: Pools, component: str, slow: tuple[str, dict[str, int]], quick: tuple[str, dict[str, int]]
) -> None:
    pool = await pools.start(find_component(component))

    async with quick_calls(pool, quick[0], **quick[1]) as others:
        began = time.monotonic()
        outcomes = await asyncio.gather(*(call(pool, slow[0], timeout=0.3, **slow[1]) for _ in range(3)))
        took = time.monotonic() - began
        before = len(others)
        await until(lambda: len(others) > before + 100, "quick calls go on")

    assert {each.verdict for each in outcomes} == {Verdict.EXECUTION_TIMEOUT}
    assert "0.3 seconds" in outcomes[0].message
    assert took >= 0.3
    await until(lambda: pool.status().replaced == 3, "three workers are replaced")
    await until(lambda: pool.status().alive >= 2, "there are workers again")
    assert pool.status().crashed == 0


async def test_more_endless_calls_than_there_may_be_workers_are_all_answered(pools: Pools) -> None:
    pool = await pools.start(find_component("fixtures/spin"), concurrency=2, queue=20)

    outcomes = await asyncio.gather(*(call(pool, "spin", timeout=0.3) for _ in range(12)))

    assert {each.verdict for each in outcomes} == {Verdict.EXECUTION_TIMEOUT}
    assert result(await call(pool, "ping")) == "pong"
    await until(lambda: pool.status().busy == 0, "nobody works on calls that are answered")


async def test_a_cancelled_call_ends_its_worker_and_another_takes_its_place(pools: Pools) -> None:
    pool = await pools.start(find_component("fixtures/spin"))
    before = workers(pool)
    running = asyncio.create_task(call(pool, "spin", timeout=60))
    await until(lambda: pool.status().busy == 1, "the call runs")

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    await until(lambda: pool.status().replaced == 1, "its worker is ended")
    await until(lambda: pool.status().alive >= 2, "another takes its place")
    assert sum(is_alive(pid) for pid in before) == len(before) - 1
    assert result(await call(pool, "ping")) == "pong"


async def test_a_call_cancelled_while_it_waits_costs_no_worker(pools: Pools) -> None:
    pool = await pools.start(find_component("fixtures/sleep"), concurrency=1, queue=10)
    first = asyncio.create_task(call(pool, "sleep", milliseconds=1000))
    await until(lambda: pool.status().busy == 1, "a call runs")
    waiting = [asyncio.create_task(call(pool, "sleep", milliseconds=60_000, timeout=60)) for _ in range(8)]
    await asyncio.sleep(0.01)

    # The first of them are in the kernel's queue, from where they cannot be withdrawn.
    for each in waiting[sizing.AHEAD :]:
        each.cancel()
    await asyncio.gather(*waiting[sizing.AHEAD :], return_exceptions=True)

    assert result(await first) == 1000
    assert pool.status().replaced == 0
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert result(await call(pool, "sleep", milliseconds=1)) == 1


async def test_a_storm_of_endless_cancelled_and_quick_calls_loses_none(pools: Pools) -> None:
    pool = await pools.start(find_component("fixtures/spin"), queue=200)

    async def one(index: int) -> Verdict | None:
        if index % 20 == 0:
            return (await call(pool, "spin", timeout=0.1)).verdict
        if index % 20 == 10:
            task = asyncio.create_task(call(pool, "spin", timeout=60))
            await asyncio.sleep(0.05)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return None
        return (await call(pool, "ping", timeout=30)).verdict

    async def caller(first: int) -> list[Verdict | None]:
        return [await one(first + index) for index in range(60)]

    verdicts = [each for found in await asyncio.gather(*(caller(7 * n) for n in range(12))) for each in found]

    assert set(verdicts) == {Verdict.OK, Verdict.EXECUTION_TIMEOUT, None}
    assert verdicts.count(Verdict.EXECUTION_TIMEOUT) == verdicts.count(None) == 36
    await until(lambda: pool.status().busy == 0, "nobody works on calls that are over")
    assert pool.status().crashed == 0
