from __future__ import annotations

import pytest

from wasmoor_runtime.events import Trace
from wasmoor_runtime.mcp import asks
from wasmoor_runtime.ports import Outcome, Usage, Verdict

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-0af7651916cd43dd8448eb211c80319d-b7ad6b7169203332-00"


def test_a_trace_comes_from_meta_or_from_headers_and_meta_wins() -> None:
    both = asks.parse_asks({"traceparent": PARENT, "tracestate": "k=v"}, {"traceparent": OTHER})
    header = asks.parse_asks({}, {"traceparent": OTHER})

    assert both.trace == Trace(PARENT, "k=v")
    assert header.trace == Trace(OTHER)


@pytest.mark.parametrize(
    "parent",
    ["", "x", PARENT.upper(), PARENT[:-1], PARENT + "-x", "ff" + PARENT[2:], "00-" + "0" * 32 + PARENT[35:], 7, None,
     PARENT[:36] + "0" * 16 + "-01", PARENT + "\n"],
)  # fmt: skip
def test_what_is_no_traceparent_is_not_there(parent: object) -> None:
    assert asks.parse_asks({"traceparent": parent}, None) is asks.NOTHING


@pytest.mark.parametrize("state", ["x" * 513, "a\nb", "ä", 7])
def test_a_tracestate_that_is_long_or_odd_is_left_out(state: object) -> None:
    assert asks.parse_asks({"traceparent": PARENT, "tracestate": state}, None).trace == Trace(PARENT)


@pytest.mark.parametrize(("value", "asked"), [(True, True), (False, False), ("true", False), (1, False), (None, False)])
def test_only_true_asks_for_usage(value: object, asked: bool) -> None:  # noqa: FBT001
    assert asks.parse_asks({"wasmoor.dev/usage": value}, None).usage is asked


def test_usage_holds_what_is_known() -> None:
    usage = Usage(cpu_seconds=0.25, memory_bytes=65536, fuel=None, io_operations=0, io_bytes=0)

    known = asks.render_usage(Outcome(verdict=Verdict.OK, seconds=0.5, usage=usage))
    unknown = asks.render_usage(Outcome(verdict=Verdict.CRASHED, seconds=0.5))

    assert known == {"seconds": 0.5, "cpuSeconds": 0.25, "memoryBytes": 65536, "ioOperations": 0, "ioBytes": 0}
    assert unknown == {"seconds": 0.5}
