from __future__ import annotations

import json

import pytest

from wasmoor_runtime import events
from wasmoor_runtime.telemetry import cloudevents
from wasmoor_runtime.telemetry.sink import Sink, UnusableUrl


def test_the_document_holds_what_cloudevents_requires_and_the_trace() -> None:
    event = events.FunctionCalled("tools/text", "shout", 1, b"{}", events.Trace("00-a-b-01", "k=v"))

    document = json.loads(cloudevents.render(cloudevents.describe(event, arguments=False), "p-1", 1.5))

    assert document == {
        "specversion": "1.0",
        "id": "p-1",
        "type": "dev.wasmoor.function.called",
        "source": "/namespaces/tools/components/text",
        "subject": "shout",
        "time": "1970-01-01T00:00:01.500000Z",
        "datacontenttype": "application/json",
        "traceparent": "00-a-b-01",
        "tracestate": "k=v",
        "data": {"component_id": "tools/text", "function": "shout", "call": 1},
    }


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://events.test/", "http:// or https://"),
        ("https:///path", "name a host"),
        ("http://user:pw@events.test/", "must not hold a password"),
        ("http://events.test:port/", "cannot be read"),
    ],
)
def test_a_url_that_nothing_can_be_sent_to_is_refused(url: str, said: str) -> None:
    with pytest.raises(UnusableUrl, match=said):
        Sink(url)
