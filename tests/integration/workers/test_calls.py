from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.workers.pools import ROOT, Pools, assemble, call, find_component, result, until, workers
from wasmoor_runtime.ports import Verdict

pytestmark = pytest.mark.integration

FLOODING = """
(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "flood") (param $bytes i32) (result i32)
      (drop (memory.grow (i32.add (i32.const 1) (i32.div_u (local.get $bytes) (i32.const 65536)))))
      (i32.store (i32.const 0) (i32.const 8))
      (i32.store (i32.const 4) (local.get $bytes))
      (i32.const 0)))
  (core instance $i (instantiate $m))
  (func (export "flood") (param "bytes" u32) (result (list u8))
    (canon lift (core func $i "flood") (memory (core memory $i "memory")))))
"""

EXITING = """
(component
  (import "wasi:cli/exit@0.2.0" (instance $exit (export "exit" (func (param "status" (result))))))
  (core func $exit (canon lower (func $exit "exit")))
  (core module $m
    (import "host" "exit" (func $exit (param i32)))
    (func (export "leave") (call $exit (i32.const 1))))
  (core instance $host (export "exit" (func $exit)))
  (core instance $i (instantiate $m (with "host" (instance $host))))
  (func (export "leave") (canon lift (core func $i "leave"))))
"""


async def test_a_component_lists_its_functions_with_schemas_and_answers(pools: Pools) -> None:
    pool = await pools.start(find_component("math"))

    add, *others = pool.functions

    assert [each.id for each in others] == ["divide", "gcd", "square-root", "compare"]
    assert (add.id, add.name, add.unsupported) == ("add", "add", "")
    assert add.input_schema["required"] == ["a", "b"]
    assert result(await call(pool, "add", a=2147483647, b=1)) == 2147483648
    assert result(await call(pool, "square-root", x=-1)) is None


async def test_the_error_of_a_result_is_told_apart_and_carries_its_payload(pools: Pools) -> None:
    pool = await pools.start(find_component("math"))

    outcome = await call(pool, "divide", dividend=7, divisor=0)

    assert outcome.verdict == Verdict.COMPONENT_ERROR
    assert json.loads(outcome.payload) == {"error": "division by zero"}


async def test_wrong_arguments_are_refused_with_a_pointer_and_what_was_expected(pools: Pools) -> None:
    pool = await pools.start(find_component("math"))

    wrong = await call(pool, "add", a="one", b=2)
    broken = await pool.call("add", b"{", timeout=5)
    unknown = await call(pool, "subtract", a=1, b=2)

    assert wrong.verdict == broken.verdict == unknown.verdict == Verdict.INVALID_ARGUMENTS
    assert wrong.message == "/a: expected a whole number from -2147483648 to 2147483647"
    assert "JSON" in broken.message
    assert "subtract" in unknown.message


async def test_a_trap_is_a_short_message_and_the_next_call_works(pools: Pools) -> None:
    pool = await pools.start(find_component("fixtures/trap"))

    outcome = await call(pool, "trap")

    assert outcome.verdict == Verdict.TRAPPED
    assert outcome.message == (
        "wasm `unreachable` instruction executed, when 65536 of 268435456 bytes of memory were in use"
    )
    assert result(await call(pool, "ping")) == "pong"
    assert pool.status().crashed == 0


async def test_a_component_that_exits_says_with_which_code(pools: Pools, tmp_path: Path) -> None:
    pool = await pools.start(assemble(tmp_path, EXITING))

    outcome = await call(pool, "leave")

    assert outcome.verdict == Verdict.TRAPPED
    assert "exit code 1" in outcome.message


async def test_memory_ends_at_the_limit(pools: Pools) -> None:
    pool = await pools.start(find_component("fixtures/hog"), memory_bytes=8 * 1024 * 1024)

    assert result(await call(pool, "hog")) == 128


async def test_all_the_memory_that_is_allowed_can_be_had(pools: Pools) -> None:
    pool = await pools.start(find_component("fixtures/hog"))

    assert result(await call(pool, "hog")) == 4096


async def test_a_component_that_needs_more_memory_to_start_than_allowed_does_not_start(pools: Pools) -> None:
    with pytest.raises(Exception, match=r"ExceedsPolicy: .*more than the 65536 bytes of memory"):
        await pools.start(find_component("fixtures/echo"), memory_bytes=65536)


async def test_fuel_ends_a_call_where_it_is_limited(pools: Pools) -> None:
    pool = await pools.start(find_component("fixtures/spin"), fuel=100_000)

    outcome = await call(pool, "spin")

    assert outcome.verdict == Verdict.OUT_OF_FUEL
    assert "100000" in outcome.message


async def test_an_answer_that_is_too_large_is_refused(pools: Pools, tmp_path: Path) -> None:
    pool = await pools.start(assemble(tmp_path, FLOODING), response_bytes=10_000)

    small = await call(pool, "flood", bytes=1000)
    large = await call(pool, "flood", bytes=10_000)

    assert small.verdict == Verdict.OK
    assert large.verdict == Verdict.RESPONSE_TOO_LARGE
    assert "10000" in large.message


async def test_an_answer_that_would_take_gigabytes_of_the_worker_is_refused(pools: Pools, tmp_path: Path) -> None:
    pool = await pools.start(assemble(tmp_path, FLOODING))

    outcome = await call(pool, "flood", timeout=60, bytes=200_000_000)

    assert outcome.verdict == Verdict.RESPONSE_TOO_LARGE
    assert (await call(pool, "flood", bytes=3)).verdict == Verdict.OK


async def test_arguments_that_are_too_large_are_refused(pools: Pools) -> None:
    pool = await pools.start(find_component("fixtures/echo"), request_bytes=1000)

    outcome = await call(pool, "echo-string", value="x" * 1000)

    assert outcome.verdict == Verdict.INVALID_ARGUMENTS
    assert "1000" in outcome.message


async def test_a_full_queue_is_refused_at_once(pools: Pools) -> None:
    pool = await pools.start(find_component("fixtures/sleep"), concurrency=2, queue=1)
    running = [asyncio.create_task(call(pool, "sleep", timeout=90, milliseconds=60_000)) for _ in range(2)]
    await until(lambda: pool.status().busy == 2, "two calls run")
    waiting = asyncio.create_task(call(pool, "sleep", milliseconds=1))
    await until(lambda: pool.status().queued == 1, "one call waits")

    refused = await call(pool, "sleep", milliseconds=0)

    assert refused.verdict == Verdict.BUSY
    assert "2 calls run and 1 wait" in refused.message
    running[0].cancel()
    assert result(await waiting) == 1
    running[1].cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def test_sleeping_calls_get_workers_of_their_own_which_are_let_go_later(pools: Pools) -> None:
    pool = await pools.start(find_component("fixtures/sleep"), concurrency=8)

    calls = [asyncio.create_task(call(pool, "sleep", milliseconds=4000)) for _ in range(8)]
    await until(lambda: pool.status().busy == 8, "eight calls run at the same time")
    assert pool.status().alive == 8
    await asyncio.gather(*calls)

    await until(lambda: len(workers(pool)) == 2, "two workers are left")
    assert (pool.status().replaced, pool.status().crashed) == (0, 0)


async def test_closing_waits_for_running_calls_and_refuses_new_ones(pools: Pools) -> None:
    pool = await pools.start(find_component("fixtures/sleep"))
    running = asyncio.create_task(call(pool, "sleep", milliseconds=1000))
    await until(lambda: pool.status().busy == 1, "a call runs")

    closing = asyncio.create_task(pool.close(30))
    await asyncio.sleep(0)
    refused = await call(pool, "sleep", milliseconds=0)

    assert refused.verdict == Verdict.UNAVAILABLE
    assert result(await running) == 1000
    await closing


async def test_closing_ends_calls_that_outlast_the_grace(pools: Pools) -> None:
    pool = await pools.start(find_component("fixtures/spin"))
    running = asyncio.create_task(call(pool, "spin", timeout=60))
    await until(lambda: pool.status().busy == 1, "a call runs")
    pids = workers(pool)

    await pool.close(0.1)

    assert (await running).verdict == Verdict.UNAVAILABLE
    await until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "no worker is left")


def test_the_front_never_loads_wasmtime() -> None:
    modules = "workers.pool, wasmoor_runtime.engine.compiler, wasmoor_runtime.capabilities.catalog"
    program = f"import sys, wasmoor_runtime.{modules}; sys.exit('wasmtime' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
