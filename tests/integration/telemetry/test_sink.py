from __future__ import annotations

import logging
import time

import pytest

from tests.integration.telemetry.receivers import Receiver, receive
from wasmoor_runtime import events
from wasmoor_runtime.contract.status import Phase
from wasmoor_runtime.ports import Usage
from wasmoor_runtime.telemetry.sink import Sink

pytestmark = pytest.mark.integration

LOADED = events.ComponentLoaded("tools/text", 0.142)
CALLED = events.FunctionCalled(
    "tools/text", "shout", 7, b'{"text":"hi","password":"hunter2"}',
    events.Trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
)  # fmt: skip
SECONDS = 30.0


def wait_for(condition: object, *, seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.005)


def delivered(receiver: Receiver) -> list[str]:
    return [document["type"] for document in receiver.documents]


def test_an_event_arrives_as_a_structured_cloudevent() -> None:
    with receive() as receiver:
        sink = Sink(receiver.url)
        sink.hear(LOADED)
        sink.close(SECONDS)

    ((path, content_type, _),) = receiver.requests
    (document,) = receiver.documents
    assert (path, content_type) == ("/hook?key=s3cret", "application/cloudevents+json; charset=utf-8")
    assert document["specversion"] == "1.0"
    assert document["type"] == "dev.wasmoor.component.loaded"
    assert document["source"] == "/namespaces/tools/components/text"
    assert document["data"] == {"component_id": "tools/text", "load_time": 0.142}
    assert document["time"].endswith("Z")
    assert document["id"].endswith("-1")
    assert (sink.sent, sum(sink.dropped.values())) == (1, 0)


def test_all_eight_events_are_sent_in_order_and_progress_is_not() -> None:
    usage = Usage(cpu_seconds=0.001, memory_bytes=65536, fuel=3, io_operations=0, io_bytes=0)
    told: list[events.Event] = [
        events.ComponentDiscovered("tools/text", "oci://registry.test/text:1", "oci"),
        events.ComponentLoading("tools/text"),
        events.Pulled(component="tools/text", done=1, total=2),
        LOADED,
        events.ComponentRegistered("tools/text", ("shout",)),
        events.Moved(
            component="tools/text", before=Phase.REGISTERING, phase=Phase.RUNNING, reason="Running", message="m"
        ),
        CALLED,
        events.FunctionCompleted("tools/text", "shout", 7, 0.002, usage, b'{"result":"secret answer"}'),
        events.FunctionFailed("tools/text", "shout", 8, 0.002, None, "Trapped", "unreachable"),
        events.ComponentUnloaded("tools/text"),
    ]
    with receive() as receiver:
        sink = Sink(receiver.url)
        for event in told:
            sink.hear(event)
        sink.close(SECONDS)

    assert delivered(receiver) == [
        f"dev.wasmoor.{name}"
        for name in (
            "component.discovered", "component.loading", "component.loaded", "component.registered",
            "function.called", "function.completed", "function.failed", "component.unloaded",
        )
    ]  # fmt: skip
    assert receiver.documents[4]["traceparent"] == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert receiver.documents[5]["data"]["memory_bytes"] == 65536
    assert len({document["id"] for document in receiver.documents}) == 8


def test_arguments_and_results_are_not_sent() -> None:
    with receive() as receiver:
        sink = Sink(receiver.url)
        sink.hear(CALLED)
        sink.hear(events.FunctionCompleted("tools/text", "shout", 7, 0.002, None, b'{"result":"a secret answer"}'))
        sink.close(SECONDS)

    text = b"".join(body for _, _, body in receiver.requests)
    assert len(receiver.requests) == 2
    assert b"hunter2" not in text
    assert b"hi" not in text.replace(b"authority", b"")
    assert b"answer" not in text


def test_arguments_that_are_asked_for_are_sent_without_what_looks_secret() -> None:
    with receive() as receiver:
        sink = Sink(receiver.url, log_arguments=True)
        sink.hear(CALLED)
        sink.close(SECONDS)

    assert receiver.documents[0]["data"]["args"] == '{"text":"hi","password":"[redacted]"}'


def test_a_server_in_trouble_is_asked_again_and_order_is_kept() -> None:
    with receive([503, 429]) as receiver:
        sink = Sink(receiver.url)
        sink.hear(LOADED)
        sink.hear(CALLED)
        sink.close(SECONDS)

    assert delivered(receiver) == ["dev.wasmoor.component.loaded"] * 3 + ["dev.wasmoor.function.called"]
    assert len({document["id"] for document in receiver.documents[:3]}) == 1
    assert (sink.sent, dict(sink.dropped)) == (2, {})


def test_an_event_that_is_refused_is_dropped_and_told_once_without_the_url(caplog: pytest.LogCaptureFixture) -> None:
    with receive([400, 403]) as receiver, caplog.at_level(logging.WARNING):
        sink = Sink(receiver.url)
        for event in (LOADED, CALLED, LOADED):
            sink.hear(event)
        sink.close(SECONDS)

    assert (sink.sent, sink.dropped["refused"]) == (1, 2)
    assert len(caplog.records) == 1
    assert "refused (HTTP 400)" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_full_queue_drops_and_counts_and_nobody_waits() -> None:
    with receive(held=True) as receiver:
        sink = Sink(receiver.url, capacity=10)
        sink.hear(LOADED)
        wait_for(lambda: receiver.requests)

        for _ in range(100):
            sink.hear(CALLED)
        full = sink.dropped["full"]
        receiver.gate.set()
        sink.close(SECONDS)

    assert full == 91
    assert (sink.sent, len(receiver.requests)) == (10, 10)


def test_nobody_there_is_given_up_within_the_time_to_stop() -> None:
    with receive() as receiver:
        url = receiver.url
    sink = Sink(url)
    for _ in range(5):
        sink.hear(LOADED)

    began = time.monotonic()
    sink.close(0.5)

    assert time.monotonic() - began < SECONDS
    assert sink.sent == 0
    assert sum(sink.dropped.values()) == 5
    assert not sink._thread.is_alive()
