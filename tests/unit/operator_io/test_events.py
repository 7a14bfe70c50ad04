"""Events: told once, in words that fit, and never waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from tests.fakes.operator_world import FakeMeter, make_component
from wasmoor_operator import ports
from wasmoor_operator.adapters import events
from wasmoor_operator.decide import model

NORMAL = model.Event(warning=False, reason="Resolved", message="it is resolved")


class FakeApi:
    """Takes Events, or refuses them."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.posted: list[Mapping[str, Any]] = []
        self.asked = 0
        self._refuses = refuses

    async def create(self, path: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
        self.asked += 1
        if self._refuses:
            raise ports.ApiFault(403, "Forbidden", "no")
        assert path == "/apis/events.k8s.io/v1/namespaces/tools/events"
        self.posted.append(manifest)
        return {}


async def post(api: FakeApi, *told: model.Event, expected: int) -> None:
    recorder = events.Recorder(api, "operator-1", FakeMeter())
    for event in told:
        recorder.record(make_component(), event)
    running = asyncio.create_task(recorder.run())
    async with asyncio.timeout(10):
        while api.asked < expected:  # noqa: ASYNC110 - the fake tells nobody
            await asyncio.sleep(0)
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_the_same_transition_is_told_once() -> None:
    api = FakeApi()
    other = model.Event(warning=True, reason="ArtifactNotFound", message="it is not there")
    await post(api, NORMAL, NORMAL, other, NORMAL, expected=2)
    assert [(each["type"], each["reason"]) for each in api.posted] == [
        ("Normal", "Resolved"),
        ("Warning", "ArtifactNotFound"),
    ]


async def test_an_event_names_the_object_it_is_about() -> None:
    api = FakeApi()
    await post(api, NORMAL, expected=1)
    (event,) = api.posted
    assert event["regarding"]["uid"] == "uid-of-text"
    assert event["regarding"]["kind"] == "WasmComponent"
    assert event["metadata"]["namespace"] == "tools"


async def test_a_long_message_is_cut_where_the_api_server_would_refuse_it() -> None:
    api = FakeApi()
    await post(api, model.Event(warning=False, reason="Resolved", message="é" * 2000), expected=1)
    assert len(api.posted[0]["note"].encode()) <= 1024


async def test_a_refused_event_is_dropped_and_the_next_one_tried() -> None:
    api = FakeApi(refuses=True)
    second = model.Event(warning=False, reason="Resolved", message="another")
    await post(api, NORMAL, second, expected=2)
    assert api.asked == 2


async def test_a_full_queue_blocks_nobody() -> None:
    recorder = events.Recorder(FakeApi(), "operator-1", FakeMeter())
    for number in range(events.WAITING + 5):
        recorder.record(make_component(), model.Event(warning=False, reason="Resolved", message=str(number)))
    assert recorder._queue.full()


def test_the_list_of_reasons_is_closed() -> None:
    recorder = events.Recorder(FakeApi(), "operator-1", FakeMeter())
    with pytest.raises(ValueError, match="Whatever"):
        recorder.record(make_component(), model.Event(warning=False, reason="Whatever", message="x"))
