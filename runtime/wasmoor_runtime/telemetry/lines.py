"""Events as a name and plain fields: what a log line and an event on the wire have in common. Pure.

Arguments and results are left out unless asked for, see `redaction`.
"""

from __future__ import annotations

import re
from typing import Any

from wasmoor_runtime import events
from wasmoor_runtime.ports import Usage
from wasmoor_runtime.telemetry.redaction import render_redacted

_WORD = re.compile(r"(?<!^)(?=[A-Z])")
NAMES = {kind: _WORD.sub("_", kind.__name__).lower() for kind in events.LIFECYCLE_KINDS}


def describe(event: events.Lifecycle, *, arguments: bool) -> tuple[str, dict[str, Any]]:
    """Return `component_loaded` and `{"component_id": …, "load_time": …}`; times are seconds."""
    fields: dict[str, Any] = {"component_id": event.component_id}
    match event:
        case events.ComponentDiscovered():
            fields |= {"uri": event.uri, "source": event.source}
        case events.ComponentLoaded():
            fields["load_time"] = round(event.load_time, 6)
        case events.ComponentRegistered():
            fields["tools"] = list(event.tools)
        case events.FunctionCalled():
            fields |= {"function": event.function, "call": event.call}
            if arguments:
                fields["args"] = render_redacted(event.arguments)
        case events.FunctionCompleted():
            fields |= {"function": event.function, "call": event.call, "duration": round(event.duration, 6)}
            fields |= describe_usage(event.usage)
            if arguments:
                fields["result"] = render_redacted(event.result)
        case events.FunctionFailed():
            fields |= {"function": event.function, "call": event.call, "duration": round(event.duration, 6)}
            fields |= {"reason": event.reason, "error": event.error} | describe_usage(event.usage)
    return NAMES[type(event)], fields


def describe_usage(usage: Usage | None) -> dict[str, Any]:
    """Return what is known of it."""
    if usage is None:
        return {}
    known = {
        "cpu_seconds": round(usage.cpu_seconds, 9),
        "memory_bytes": usage.memory_bytes,
        "fuel": usage.fuel,
        "io_operations": usage.io_operations,
        "io_bytes": usage.io_bytes,
    }
    return {name: value for name, value in known.items() if value is not None}
