"""What a request asks for beside its call: to be told what the call used, and to be part of a trace. Pure.

`_meta["wasmoor.dev/usage"]: true` asks for the first. The second is W3C Trace Context, which MCP carries as
`traceparent` and `tracestate` in `_meta` and HTTP as headers; where both are there, `_meta` is nearer to the call.

Threat: both come from strangers and go into logs, spans and events. What does not have the form is not there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wasmoor_runtime.events import Trace
from wasmoor_runtime.mcp.answers import USAGE_META
from wasmoor_runtime.ports import Outcome

# https://www.w3.org/TR/trace-context/#traceparent-header: not of version ff, and no identity of zeros only.
_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_STATE = re.compile(r"[\x20-\x7e]{1,512}")


@dataclass(frozen=True, slots=True)
class Asks:
    """What is asked."""

    usage: bool = False
    trace: Trace | None = None


NOTHING = Asks()


def parse_asks(meta: Mapping[str, Any] | None, headers: Mapping[str, str] | None) -> Asks:
    """Return what a request's `_meta` and headers (lower case) ask for."""
    trace = _parse_trace(meta) or _parse_trace(headers)
    usage = meta is not None and meta.get(USAGE_META) is True
    return Asks(usage, trace) if usage or trace else NOTHING


def render_usage(outcome: Outcome) -> dict[str, Any]:
    """Return what a call used, as far as it is known, in seconds, bytes and counts."""
    usage = outcome.usage
    known: dict[str, Any] = {"seconds": round(outcome.seconds, 6)}
    if usage is not None:
        known |= {
            "cpuSeconds": round(usage.cpu_seconds, 9),
            "memoryBytes": usage.memory_bytes,
            "fuel": usage.fuel,
            "ioOperations": usage.io_operations,
            "ioBytes": usage.io_bytes,
        }
    return {name: value for name, value in known.items() if value is not None}


def _parse_trace(carrier: Mapping[str, Any] | None) -> Trace | None:
    if not carrier:
        return None
    parent, state = carrier.get("traceparent"), carrier.get("tracestate")
    if not isinstance(parent, str) or not _PARENT.fullmatch(parent):
        return None
    return Trace(parent, state if isinstance(state, str) and _STATE.fullmatch(state) else "")
