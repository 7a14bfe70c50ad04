"""Instances that are made ahead, for components whose start takes long."""

from __future__ import annotations

import time
from pathlib import Path

import wasmtime

from tests.integration.workers import pools
from tests.integration.workers.pools import Pools, call
from wasmoor_runtime.contract.document import CallLimits
from wasmoor_runtime.engine import machine
from wasmoor_runtime.engine.invocation import Invoker
from wasmoor_runtime.engine.settings import EngineSettings
from wasmoor_runtime.ports import Usage, Verdict
from wasmoor_runtime.workers import job, zygote


def component(turns: int, *, pages: int = 1) -> str:
    """Return a component whose start turns so often, and whose `count` says how often it was called."""
    return f"""
(component
  (core module $m
    (memory {pages})
    (global $called (mut i32) (i32.const 0))
    (func $start (local $i i32)
      (memory.fill (i32.const 0) (i32.const 1) (i32.const {pages * 65536}))
      (loop $again
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $i) (i32.const {turns})))))
    (start $start)
    (func (export "count") (result i32)
      (global.set $called (i32.add (global.get $called) (i32.const 1)))
      (global.get $called))
    (func (export "trap") (result i32) unreachable))
  (core instance $i (instantiate $m))
  (func (export "count") (result u32) (canon lift (core func $i "count")))
  (func (export "trap") (result u32) (canon lift (core func $i "trap"))))
"""


def build(directory: Path, text: str, **limits: int) -> Invoker:
    decided = CallLimits(**limits)
    engine = machine.build_engine(EngineSettings.from_limits(decided))
    blob, compiled = directory / "component.wasm", directory / "component.cwasm"
    blob.write_bytes(wasmtime.wat2wasm(text))
    compiled.write_bytes(machine.Component(engine, blob.read_bytes()).serialize())
    return zygote.load_component(job.Job(compiled=str(compiled), blob=str(blob), limits=decided, rows=1))[0]


def measure(fuel: int | None) -> Usage:
    return Usage(fuel=fuel)


def make_slow(invoker: Invoker) -> None:
    """Have it take its instances for slow, whatever they take on this machine."""
    invoker._seconds = 0.001


def test_a_prepared_instance_is_used_once_and_the_next_is_as_fresh(tmp_path: Path) -> None:
    invoker = build(tmp_path, component(10))
    for _ in range(3):
        make_slow(invoker)
        assert invoker.pays_to_prepare
        assert invoker.prepare()
        assert invoker.run("count", b"{}", measure).payload == b'{"result":1}'
        assert invoker._ready is None
    assert invoker.run("count", b"{}", measure).payload == b'{"result":1}'


def test_a_component_that_starts_at_once_or_takes_long_is_not_prepared(tmp_path: Path) -> None:
    invoker = build(tmp_path, component(10))
    assert not invoker.pays_to_prepare
    for seconds in (0.00001, 0.5):
        invoker._seconds = seconds
        assert not invoker.pays_to_prepare


def test_an_instance_that_has_waited_long_is_made_anew(tmp_path: Path) -> None:
    invoker = build(tmp_path, component(10))
    assert invoker.prepare()
    assert invoker.drop_stale()
    ready = invoker._ready
    assert ready is not None
    object.__setattr__(ready, "since", time.monotonic() - 61)
    assert not invoker.drop_stale()
    assert invoker.run("count", b"{}", measure).payload == b'{"result":1}'


def test_fuel_is_counted_from_the_start_of_a_prepared_instance_too(tmp_path: Path) -> None:
    invoker = build(tmp_path, component(1000), fuel=1_000_000)
    fresh = invoker.run("count", b"{}", measure)
    assert invoker.prepare()
    prepared = invoker.run("count", b"{}", measure)
    assert fresh.usage is not None
    assert prepared.usage is not None
    assert prepared.usage.fuel == fresh.usage.fuel


def test_a_start_that_fails_is_told_by_the_call(tmp_path: Path) -> None:
    invoker = build(tmp_path, component(1000), fuel=100)
    make_slow(invoker)
    assert not invoker.prepare()
    assert invoker.run("count", b"{}", measure).verdict is Verdict.OUT_OF_FUEL


async def test_calls_of_a_component_with_a_slow_start_are_alike(tmp_path: Path) -> None:
    """Some 2 ms of start: workers prepare, and nothing is to be seen of it, neither in answers nor in what is used."""
    everything = Pools(tmp_path / "cache")
    pool = await everything.start(pools.assemble(tmp_path, component(2_000_000, pages=64)), concurrency=1)
    try:
        used = []
        for number in range(20):
            if number % 5 == 3:
                assert (await call(pool, "trap")).verdict is Verdict.TRAPPED
            outcome = await call(pool, "count")
            assert outcome.payload == b'{"result":1}'
            assert outcome.usage is not None
            used.append(outcome.usage.memory_bytes)
        assert min(used) >= 64 * 65536
        status = pool.status()
        assert (status.replaced, status.crashed) == (0, 0)
    finally:
        await everything.close()
