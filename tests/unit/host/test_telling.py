"""What a host tells of its component and calls, in which order."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes.parts import Clock, FakeFetcher, FakePool, Recorder, hang, make_contract, make_function, make_parts
from tests.unit.host.test_component import make_host
from wasmoor_runtime import events
from wasmoor_runtime.contract import document
from wasmoor_runtime.contract.document import CallLimits, Contract
from wasmoor_runtime.errors import Stalled, Waiting
from wasmoor_runtime.host.component import ComponentHost
from wasmoor_runtime.host.locations import describe_source
from wasmoor_runtime.host.tools import ServedTool
from wasmoor_runtime.ports import Outcome, Usage, Verdict

TRACE = events.Trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")


def told(recorder: Recorder) -> list[events.Event]:
    """Return the eight kinds only."""
    return [event for event in recorder.heard if isinstance(event, events.LIFECYCLE_KINDS)]


def kinds(recorder: Recorder) -> list[str]:
    return [type(event).__name__ for event in told(recorder)]


def find(host: ComponentHost, name: str) -> ServedTool:
    tool = host.find_tool(name)
    assert tool is not None
    return tool


async def test_a_component_s_life_is_told_in_order() -> None:
    host, recorder = make_host(make_parts(FakePool([make_function("shout"), make_function("hush")])))
    host.start()
    await host.running.wait()
    await host.stop(0)

    assert kinds(recorder) == [
        "ComponentDiscovered", "ComponentLoading", "ComponentLoaded", "ComponentRegistered", "ComponentUnloaded",
    ]  # fmt: skip
    discovered, _, _, registered, _ = told(recorder)
    assert discovered == events.ComponentDiscovered("tools/text", "oci://registry.test/text:1", "oci")
    assert registered == events.ComponentRegistered("tools/text", ("shout", "hush"))


async def test_what_could_not_be_loaded_is_never_unloaded() -> None:
    fetcher = FakeFetcher(Waiting("PullFailed", "cut off"), Stalled("NotAComponent", "a module"))
    host, recorder = make_host(make_parts(FakePool([]), fetcher=fetcher), clock=Clock())
    host.start()
    await host.settled.wait()
    await asyncio.sleep(0.01)
    await host.stop(0)

    assert kinds(recorder) == ["ComponentDiscovered", "ComponentLoading"] * 2


async def test_a_call_is_told_with_what_it_used_and_where_it_belongs() -> None:
    host, recorder = make_host(make_parts(FakePool([make_function("shout")])))
    host.start()
    await host.running.wait()
    await host.call(find(host, "shout"), b'{"text":"hi"}', trace=TRACE)
    await host.stop(0)

    called, completed = told(recorder)[4:6]
    assert called == events.FunctionCalled("tools/text", "shout", 1, b'{"text":"hi"}', TRACE)
    assert isinstance(completed, events.FunctionCompleted)
    assert (completed.call, completed.result) == (1, b'{"result": "hi"}')
    assert completed.usage == Usage(cpu_seconds=0.001, memory_bytes=65536)
    assert completed.duration > 0


async def test_every_call_that_is_told_ends_once_however_it_ends() -> None:
    async def trap(_: object) -> Outcome:
        return Outcome(verdict=Verdict.TRAPPED, message="unreachable")

    pool = FakePool([make_function(name) for name in ("fine", "trap", "hang")], {"trap": trap, "hang": hang})
    host, recorder = make_host(make_parts(pool))
    host.start()
    await host.running.wait()
    await host.call(find(host, "fine"), b"{}")
    await host.call(find(host, "trap"), b"{}")
    leaving = asyncio.create_task(host.call(find(host, "hang"), b"{}"))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    host.tell_refused(find(host, "fine"), Verdict.INVALID_ARGUMENTS, "at /text: expected string")
    await host.stop(0)
    await host.call(find(host, "fine"), b"{}")

    begun = [event.call for event in told(recorder) if isinstance(event, events.FunctionCalled)]
    ended = [
        (event.call, "Ok" if isinstance(event, events.FunctionCompleted) else event.reason)
        for event in told(recorder)
        if isinstance(event, events.FunctionCompleted | events.FunctionFailed)
    ]
    assert begun == [1, 2, 3, 4, 5]
    assert ended == [(1, "Ok"), (2, "Trapped"), (3, "Cancelled"), (4, "InvalidArguments"), (5, "Unavailable")]


async def test_more_calls_a_second_than_allowed_never_reach_the_pool() -> None:
    pool = FakePool([make_function("shout")])
    host, recorder = make_host(make_parts(pool), contract=make_contract(limits=CallLimits(calls_per_second=2)))
    host.start()
    await host.running.wait()

    outcomes = [await host.call(find(host, "shout"), b"{}") for _ in range(3)]
    await host.stop(0)

    assert [each.verdict for each in outcomes] == ["Ok", "Ok", "RateLimited"]
    assert outcomes[2].message.startswith("2 calls a second are allowed: try again in ")
    assert outcomes[2].message.endswith(" ms")
    assert len(pool.calls) == 2
    assert recorder.calls()[-1] == ("shout", "RateLimited")


DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("source", "uri", "kind"),
    [
        (document.PinnedOciSource(reference="ghcr.io/acme/text:1", digest=DIGEST), "oci://ghcr.io/acme/text:1", "oci"),
        (
            document.PinnedHttpSource(url="https://files.test/text.wasm?signature=s3cret", digest=DIGEST),
            "https://files.test/text.wasm",
            "http",
        ),
        (document.PinnedFileSource(path="/srv/text.wasm"), "file:///srv/text.wasm", "file"),
        (
            document.PinnedConfigMapSource(name="text", key="text.wasm", path="/mnt/text.wasm"),
            "configmap://text/text.wasm",
            "configMap",
        ),
    ],
)
def test_a_source_has_a_uri_without_secrets(source: document.PinnedSource, uri: str, kind: str) -> None:
    assert describe_source(source) == (uri, kind)


def test_the_rate_is_part_of_the_contract() -> None:
    limited = make_contract(limits=CallLimits(calls_per_second=7))

    assert Contract.model_validate_json(limited.to_json()).limits.calls_per_second == 7
    assert limited.hash() != make_contract().hash()
