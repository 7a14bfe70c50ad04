from __future__ import annotations

import asyncio
import json

from tests.fakes.parts import (
    DIGEST,
    LAYER,
    Clock,
    FakeCompiler,
    FakeFetcher,
    FakePool,
    FakeStarter,
    Recorder,
    hang,
    make_contract,
    make_function,
    make_parts,
    until,
)
from wasmoor_runtime.contract.document import CallLimits, Contract
from wasmoor_runtime.contract.spec import Tools
from wasmoor_runtime.contract.status import Phase, Reason, WorkerStatus
from wasmoor_runtime.errors import Stalled, Waiting
from wasmoor_runtime.events import ALL_KINDS, Event
from wasmoor_runtime.host.component import WATCH_MISSES, ComponentHost, Parts
from wasmoor_runtime.ports import Verdict


def make_host(
    parts: Parts, *, contract: Contract | None = None, clock: Clock | None = None
) -> tuple[ComponentHost, Recorder]:
    served = contract or make_contract()

    async def discover() -> Contract:
        return served

    recorder = Recorder()
    host = ComponentHost(
        served.component, discover, parts, listeners=(recorder,), sleep=(clock or Clock(at_most=1)).sleep
    )
    return host, recorder


async def test_a_component_goes_from_discovering_to_running_and_says_what_it_serves() -> None:
    pool = FakePool([make_function("shout"), make_function("odd", unsupported="it takes a stream")])
    host, recorder = make_host(make_parts(pool))
    assert host.status().phase is Phase.DISCOVERING
    host.start()
    await host.running.wait()
    status = host.status()
    assert recorder.phases() == ["Loading", "Registering", "Running"]
    assert (status.phase, status.reason, status.ready) == (Phase.RUNNING, Reason.RUNNING, True)
    assert status.message == "1 tool can be called"
    assert [tool.name for tool in status.tools] == ["shout"]
    assert status.tool_count == 1
    assert status.unserved[0].name == "odd"
    assert status.artifact is not None
    assert (status.artifact.digest, status.artifact.layer_digest) == (DIGEST, LAYER)
    assert status.workers.alive == 2
    assert len(status.contract) == 16
    await host.stop(0)


async def test_waiting_is_tried_again_with_growing_delays_until_it_works() -> None:
    faults = [Waiting("RegistryUnavailable", "no answer from registry.test") for _ in range(3)]
    clock = Clock(at_most=4)
    host, recorder = make_host(make_parts(FakePool([make_function("a")]), fetcher=FakeFetcher(*faults)), clock=clock)
    host.start()
    await host.running.wait()
    assert clock.slept[:3] == [1, 2, 4]
    messages = [event.message for event in recorder.heard if hasattr(event, "message")]
    assert "no answer from registry.test; trying again in 4 s" in messages
    assert host.ready
    await host.stop(0)


async def test_while_it_waits_the_reason_stands_in_the_status() -> None:
    fetcher = FakeFetcher(Waiting("CredentialsMissing", "registry.test wants credentials", delay=7))
    clock = Clock(at_most=1)
    host, _ = make_host(make_parts(FakePool([make_function("a")]), fetcher=fetcher), clock=clock)
    host.start()
    await host.settled.wait()
    status = host.status()
    assert (status.phase, status.reason, status.ready) == (Phase.LOADING, Reason.CREDENTIALS_MISSING, False)
    assert status.message == "registry.test wants credentials; trying again in 7 s"
    await host.stop(0)


async def test_stalled_fails_for_good_and_keeps_the_reason() -> None:
    fetcher = FakeFetcher(Stalled("NotAComponent", "this is a core module: build a component"))
    host, recorder = make_host(make_parts(FakePool([make_function("a")]), fetcher=fetcher))
    host.start()
    await host.settled.wait()
    status = host.status()
    assert (status.phase, status.reason) == (Phase.FAILED, Reason.NOT_A_COMPONENT)
    assert not status.ready
    await host.stop(0)
    assert recorder.phases() == ["Loading", "Failed", "Stopping", "Terminated"]


async def test_a_component_without_tools_fails_and_its_processes_end() -> None:
    pool = FakePool([make_function("a")])
    host, _ = make_host(make_parts(pool), contract=make_contract(tools=Tools(include=("b",))))
    host.start()
    await host.settled.wait()
    assert host.status().reason is Reason.NO_TOOLS
    assert pool.closed == [0.0]
    await host.stop(0)


async def test_a_defect_in_a_part_is_told_and_tried_again() -> None:
    clock = Clock(at_most=2)
    parts = make_parts(FakePool([make_function("a")]), fetcher=FakeFetcher(KeyError("oops")))
    host, recorder = make_host(parts, clock=clock)
    host.start()
    await host.running.wait()
    reasons = [getattr(event, "reason", "") for event in recorder.heard]
    assert Reason.INTERNAL in reasons
    await host.stop(0)


async def test_a_start_that_takes_too_long_is_ended_and_tried_again() -> None:
    compiler = FakeCompiler(gate=asyncio.Event())
    contract = make_contract(start_timeout_seconds=0.01)
    host, _ = make_host(make_parts(FakePool([make_function("a")]), compiler=compiler), contract=contract)
    host.start()
    await host.settled.wait()
    status = host.status()
    assert status.reason is Reason.COMPILE_FAILED
    assert status.message.startswith("compiling took longer than the 0.01 s a start may take; trying again")
    await host.stop(0)


async def test_a_call_reaches_the_pool_and_is_counted() -> None:
    pool = FakePool([make_function("shout")])
    host, recorder = make_host(make_parts(pool))
    host.start()
    await host.running.wait()
    tool = host.find_tool("shout")
    assert tool is not None
    outcome = await host.call(tool, b'{"text":"hi"}')
    assert json.loads(outcome.payload) == {"result": "hi"}
    assert pool.calls == [("shout", {"text": "hi"})]
    assert recorder.calls() == [("shout", "Ok")]
    await host.stop(0)


async def test_cancelling_a_call_cancels_it_in_the_pool() -> None:
    pool = FakePool([make_function("shout")], {"shout": hang})
    host, recorder = make_host(make_parts(pool))
    host.start()
    await host.running.wait()
    tool = host.find_tool("shout")
    assert tool is not None
    task = asyncio.create_task(host.call(tool, b"{}"))
    await until(lambda: pool.calls)
    task.cancel()
    await asyncio.wait((task,))
    await until(lambda: pool.cancelled)
    assert task.cancelled()
    assert recorder.calls() == [("shout", "Cancelled")]
    await host.stop(0)


async def test_a_call_takes_the_limits_timeout() -> None:
    pool = FakePool([make_function("shout")], {"shout": hang})
    contract = make_contract(limits=CallLimits(timeout_seconds=0.01))
    host, _ = make_host(make_parts(pool), contract=contract)
    host.start()
    await host.running.wait()
    tool = host.find_tool("shout")
    assert tool is not None
    assert (await host.call(tool, b"{}")).verdict is Verdict.EXECUTION_TIMEOUT
    await host.stop(0)


async def test_processes_that_died_are_started_again() -> None:
    dead = FakePool([make_function("a")])
    fresh = FakePool([make_function("a")])
    dead.workers = WorkerStatus(alive=0)
    clock = Clock(at_most=WATCH_MISSES + 3)
    parts = Parts(fetcher=FakeFetcher(), compiler=FakeCompiler(), starter=FakeStarter(dead, fresh))
    host, recorder = make_host(parts, clock=clock)
    host.start()
    await until(lambda: recorder.phases() == ["Loading", "Registering", "Running"] * 2)
    assert dead.closed == [0.0]
    assert Reason.CRASHED in [getattr(event, "reason", "") for event in recorder.heard]
    await host.stop(0)
    assert fresh.closed == [0.0]


async def test_one_look_without_processes_is_no_crash() -> None:
    pool = FakePool([make_function("a")])
    clock = Clock(at_most=6)
    host, recorder = make_host(make_parts(pool), clock=clock)
    host.start()
    await host.running.wait()
    pool.workers = WorkerStatus(alive=0)
    await until(lambda: len(clock.slept) >= 2)
    pool.workers = WorkerStatus(alive=2)
    await until(lambda: len(clock.slept) >= 6)
    assert recorder.phases() == ["Loading", "Registering", "Running"]
    await host.stop(0)


async def test_while_it_stops_it_is_not_ready_but_calls_are_answered() -> None:
    pool = FakePool([make_function("shout")])
    host, _ = make_host(make_parts(pool))
    host.start()
    await host.running.wait()
    tool = host.find_tool("shout")
    assert tool is not None
    host.begin_stop()
    assert not host.ready
    assert (await host.call(tool, b'{"text":"x"}')).verdict is Verdict.OK
    await host.stop(5)
    assert pool.closed == [5]
    assert host.status().phase is Phase.TERMINATED
    assert (await host.call(tool, b"{}")).verdict is Verdict.UNAVAILABLE


async def test_a_listener_that_raises_changes_nothing() -> None:
    class Angry:
        kinds = ALL_KINDS

        def hear(self, event: Event) -> None:
            raise RuntimeError(str(event))

    async def discover() -> Contract:
        return make_contract()

    parts = make_parts(FakePool([make_function("a")]))
    host = ComponentHost(make_contract().component, discover, parts, listeners=(Angry(),), sleep=Clock(at_most=1).sleep)
    host.start()
    await host.running.wait()
    assert host.ready
    await host.stop(0)
