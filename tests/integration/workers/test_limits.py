from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.integration.workers.pools import Pools, assemble, busy_worker, call, find_component, kill, result, until
from wasmoor_runtime.errors import Stalled
from wasmoor_runtime.ports import Verdict

pytestmark = pytest.mark.integration

MIB = 1024 * 1024

TWO_INSTANCES = """
(component
  (core module $m (memory 1) (func (export "f")))
  (core instance $a (instantiate $m))
  (core instance $b (instantiate $m))
  (func (export "f") (canon lift (core func $a "f"))))
"""
TWO_TABLES = """
(component
  (core module $m (table 50 funcref) (table 50 funcref) (func (export "f")))
  (core instance $i (instantiate $m))
  (func (export "f") (canon lift (core func $i "f"))))
"""
GROWING_TABLE = """
(component
  (core module $m
    (table 1 funcref)
    (func (export "grow") (param i32) (result i32) (table.grow (ref.null func) (local.get 0))))
  (core instance $i (instantiate $m))
  (func (export "grow") (param "by" u32) (result s32) (canon lift (core func $i "grow"))))
"""
DEEP = """
(component
  (core module $m
    (func $down (export "down") (param i32) (result i32)
      (if (result i32) (local.get 0)
        (then (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1)))))
        (else (i32.const 0)))))
  (core instance $i (instantiate $m))
  (func (export "down") (param "levels" u32) (result u32) (canon lift (core func $i "down"))))
"""
# Takes memory as an allocator does, so many pages at a time, and gives up when it is refused more.
GIVING_UP = """
(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "take") (param $pages i32)
      (loop $more
        (if (i32.eq (memory.grow (local.get $pages)) (i32.const -1)) (then (unreachable)))
        (br $more))))
  (core instance $i (instantiate $m))
  (func (export "take") (param "pages" u32) (canon lift (core func $i "take"))))
"""
HOLDING = """
(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "hold") (param $pages i32)
      (drop (memory.grow (local.get $pages)))
      (loop $again (br $again))))
  (core instance $i (instantiate $m))
  (func (export "hold") (param "pages" u32) (canon lift (core func $i "hold"))))
"""


@pytest.mark.parametrize(
    ("text", "limits", "said"),
    [
        (TWO_INSTANCES, {"instances": 1}, "instance count too high at 2"),
        (TWO_INSTANCES, {"memories": 1}, "memory count too high at 2"),
        (TWO_TABLES, {"tables": 1}, "table count too high at 2"),
        (TWO_TABLES, {"table_elements": 10}, "a table of more than the 10 elements allowed"),
        (TWO_INSTANCES, {"memory_bytes": 1000}, "more than the 1000 bytes of memory allowed"),
    ],
)
async def test_what_a_component_always_needs_beyond_a_limit_is_told_before_it_is_served(
    pools: Pools, tmp_path: Path, text: str, limits: dict[str, int], said: str
) -> None:
    with pytest.raises(Stalled, match=said) as caught:
        await pools.start(assemble(tmp_path, text), **limits)

    assert caught.value.reason == "ExceedsPolicy"


async def test_a_table_grows_to_its_limit_and_no_further(pools: Pools, tmp_path: Path) -> None:
    pool = await pools.start(assemble(tmp_path, GROWING_TABLE), table_elements=100)

    assert result(await call(pool, "grow", by=99)) == 1
    assert result(await call(pool, "grow", by=100)) == -1


async def test_a_call_that_goes_too_deep_is_out_of_stack(pools: Pools, tmp_path: Path) -> None:
    pool = await pools.start(assemble(tmp_path, DEEP), stack_bytes=256 * 1024)

    assert result(await call(pool, "down", levels=100)) == 100
    outcome = await call(pool, "down", levels=10_000_000)

    assert outcome.verdict == Verdict.OUT_OF_STACK
    assert "262144 bytes of stack" in outcome.message


async def test_a_component_that_gives_up_close_to_its_limit_is_out_of_memory(pools: Pools, tmp_path: Path) -> None:
    pool = await pools.start(assemble(tmp_path, GIVING_UP), memory_bytes=8 * MIB)

    outcome = await call(pool, "take", pages=1)

    assert outcome.verdict == Verdict.OUT_OF_MEMORY
    assert outcome.message == "the component gave up with 8388608 of the 8388608 bytes of memory it may have"


async def test_a_component_that_gives_up_far_from_its_limit_has_trapped_and_both_numbers_are_told(
    pools: Pools, tmp_path: Path
) -> None:
    pool = await pools.start(assemble(tmp_path, GIVING_UP), memory_bytes=8 * MIB)

    outcome = await call(pool, "take", pages=100)

    assert outcome.verdict == Verdict.TRAPPED
    assert "when 6619136 of 8388608 bytes of memory were in use" in outcome.message


async def test_a_call_tells_the_memory_it_has_held(pools: Pools) -> None:
    pool = await pools.start(find_component("fixtures/hog"), memory_bytes=32 * MIB)

    used = (await call(pool, "hog")).usage

    assert used is not None
    assert 32 * MIB <= used.memory_bytes < 34 * MIB
    assert pool.memory().peak_bytes >= 32 * MIB
    assert pool.memory().current_bytes == 0


async def test_a_call_tells_its_fuel_only_where_fuel_is_limited(pools: Pools) -> None:
    metered = await pools.start(find_component("math"), fuel=1_000_000)
    free = await pools.start(find_component("math"))

    spent = (await call(metered, "gcd", a=1071, b=462)).usage
    unknown = (await call(free, "gcd", a=1071, b=462)).usage

    assert spent is not None
    assert unknown is not None
    assert spent.fuel is not None
    assert 10 < spent.fuel < 10_000
    assert unknown.fuel is None


async def test_a_call_that_computes_has_read_and_written_nothing(pools: Pools) -> None:
    pool = await pools.start(find_component("math"))

    used = [(await call(pool, "gcd", a=1071, b=462)).usage for _ in range(5)]

    assert [(each.io_operations, each.io_bytes) for each in used if each is not None] == [(0, 0)] * 5


async def test_a_call_that_is_ended_at_its_deadline_tells_what_it_used(pools: Pools, tmp_path: Path) -> None:
    pool = await pools.start(assemble(tmp_path, HOLDING), memory_bytes=64 * MIB)

    outcome = await call(pool, "hold", timeout=0.5, pages=160)

    assert outcome.verdict == Verdict.EXECUTION_TIMEOUT
    assert outcome.usage is not None
    assert outcome.usage.memory_bytes >= 10 * MIB
    assert outcome.usage.cpu_seconds > 0
    assert pool.memory().peak_bytes >= 10 * MIB


async def test_what_running_calls_hold_is_asked_of_every_worker(pools: Pools, tmp_path: Path) -> None:
    pool = await pools.start(assemble(tmp_path, HOLDING), memory_bytes=64 * MIB)
    running = [asyncio.create_task(call(pool, "hold", timeout=60, pages=160)) for _ in range(2)]
    await until(lambda: pool.memory().current_bytes >= 20 * MIB, "two calls hold ten MiB each")

    assert pool.memory().active_instances == 2

    for each in running:
        each.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await until(lambda: pool.memory() == pool.memory().model_copy(update={"current_bytes": 0, "active_instances": 0}),
                "nothing is held any more")  # fmt: skip


async def test_a_worker_that_died_tells_nothing_of_what_its_call_used(pools: Pools) -> None:
    pool = await pools.start(find_component("fixtures/spin"))
    running = asyncio.create_task(call(pool, "spin", timeout=60))
    await until(lambda: pool.status().busy == 1, "a call runs")
    await until(lambda: bool(pool.memory().active_instances), "it can be asked about")

    kill(busy_worker(pool))

    outcome = await running
    assert (outcome.verdict, outcome.usage) == (Verdict.CRASHED, None)
