from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import pytest

from tests.integration.workers.pools import (
    ROOT,
    SECONDS,
    Pools,
    busy_worker,
    call,
    find_component,
    is_alive,
    kill,
    result,
    until,
    workers,
    zygote,
)
from wasmoor_runtime.ports import Verdict
from wasmoor_runtime.workers import sizing

pytestmark = pytest.mark.integration


async def test_a_worker_that_dies_takes_its_own_call_with_it_and_no_other(pools: Pools) -> None:
    pool = await pools.start(find_component("fixtures/spin"))
    running = asyncio.create_task(call(pool, "spin", timeout=60))
    await until(lambda: pool.status().busy == 1, "the call runs")
    await asyncio.sleep(0.1)

    kill(busy_worker(pool))
    others = await asyncio.gather(*(call(pool, "ping") for _ in range(50)))

    outcome = await running
    assert outcome.verdict == Verdict.CRASHED
    assert "killed by signal 9" in outcome.message
    assert {each.verdict for each in others} == {Verdict.OK}
    assert pool.status().crashed == 1
    await until(lambda: pool.status().alive >= 2, "another worker is there")


async def test_idle_workers_that_die_are_replaced(pools: Pools) -> None:
    pool = await pools.start(find_component("fixtures/spin"))
    before = workers(pool)

    for pid in before:
        kill(pid)

    await until(lambda: len(workers(pool) - before) == 2, "two others are there")
    assert result(await call(pool, "ping")) == "pong"


async def test_a_zygote_that_dies_is_started_again_and_waiting_calls_are_kept(pools: Pools) -> None:
    pool = await pools.start(find_component("fixtures/sleep"), concurrency=1, queue=10)
    before = workers(pool)
    handed_out = 1 + sizing.AHEAD  # one runs, the others are in the kernel's queue
    durations = [60_000] * handed_out + [1] * 3
    calls = [asyncio.create_task(call(pool, "sleep", timeout=90, milliseconds=each)) for each in durations]
    await until(lambda: pool.status().busy == 1, "a call runs")

    kill(zygote(pool))
    outcomes = await asyncio.gather(*calls)

    verdicts = [each.verdict for each in outcomes]
    assert verdicts == [Verdict.CRASHED] * handed_out + [Verdict.OK] * 3
    assert not any(is_alive(pid) for pid in before)
    assert pool.status().crashed >= 1
    assert result(await call(pool, "sleep", milliseconds=1)) == 1


async def test_a_zygote_may_die_again_and_again(pools: Pools) -> None:
    pool = await pools.start(find_component("math"))

    for _ in range(3):
        kill(zygote(pool))
        await until(lambda: pool._crew.generation is None, "the death is noticed")
        assert result(await call(pool, "add", a=1, b=1)) == 2


FRONT = """
import asyncio, json, sys
from pathlib import Path
from tests.integration.workers.pools import Pools, call, find_component, workers, zygote

async def main():
    pool = await Pools(Path(sys.argv[1])).start(find_component("fixtures/spin"))
    task = asyncio.create_task(call(pool, "spin", timeout=600))
    while not pool.status().busy:
        await asyncio.sleep(0.01)
    print(json.dumps([zygote(pool), *workers(pool)]), flush=True)
    await task

asyncio.run(main())
"""


async def test_no_process_outlives_the_front(tmp_path_factory: pytest.TempPathFactory) -> None:
    cache = tmp_path_factory.mktemp("compiled")
    front = subprocess.Popen([sys.executable, "-c", FRONT, str(cache)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert front.stdout is not None
    line = await asyncio.wait_for(asyncio.to_thread(front.stdout.readline), SECONDS)
    pids = json.loads(line)
    assert len(pids) >= 3
    assert all(is_alive(pid) for pid in pids)

    front.kill()
    front.wait()
    front.stdout.close()

    await until(lambda: not any(is_alive(pid) for pid in pids), "all processes have ended")
