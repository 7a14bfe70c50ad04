"""Lifecycle events as CloudEvents 1.0 in JSON. Pure.

One event is one document in structured mode (CloudEvents JSON event format, HTTP protocol binding 3.2). The name of a
type and the fields of its data are a contract with whoever receives them.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from wasmoor_runtime import events
from wasmoor_runtime.telemetry import lines

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
_PREFIX = "dev.wasmoor."


def describe(event: events.Lifecycle, *, arguments: bool) -> dict[str, Any]:
    """Return the document without what tells one event from the next: `id` and `time`, see `render`."""
    name, data = lines.describe(event, arguments=arguments)
    namespace, _, component = event.component_id.partition("/")
    document = {
        "specversion": "1.0",
        "type": f"{_PREFIX}{name.replace('_', '.')}",  # dev.wasmoor.component.loaded, dev.wasmoor.function.failed
        "source": f"/namespaces/{namespace}/components/{component}",
        "datacontenttype": "application/json",
        "data": data,
    }
    if "function" in data:
        document["subject"] = data["function"]
    if isinstance(event, events.FunctionCalled) and event.trace is not None:
        document["traceparent"] = event.trace.parent  # the distributed tracing extension
        if event.trace.state:
            document["tracestate"] = event.trace.state
    return document


def render(document: dict[str, Any], identity: str, seconds: float) -> bytes:
    """Return the body of the request; `seconds` is when it happened, since 1970."""
    moment = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return json.dumps({**document, "id": identity, "time": moment}, ensure_ascii=False, separators=(",", ":")).encode()
