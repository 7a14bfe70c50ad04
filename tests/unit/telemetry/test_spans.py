from __future__ import annotations

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from wasmoor_runtime import events
from wasmoor_runtime.contract.status import Phase
from wasmoor_runtime.ports import Usage
from wasmoor_runtime.telemetry.spans import Spans, build_spans


def make_spans(*told: events.Event) -> tuple[ReadableSpan, ...]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    spans = Spans(provider)
    for event in told:
        spans.hear(event)
    spans.close()
    return exporter.get_finished_spans()


def test_a_call_s_span_continues_the_trace_of_its_request() -> None:
    trace = events.Trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "vendor=1")
    usage = Usage(cpu_seconds=0.25, memory_bytes=65536)

    (span,) = make_spans(
        events.FunctionCalled("tools/text", "shout", 1, b'{"password":"hunter2"}', trace),
        events.FunctionCompleted("tools/text", "shout", 1, 0.1, usage, b"{}"),
    )

    assert span.context is not None
    assert span.parent is not None
    assert f"{span.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert f"{span.parent.span_id:016x}" == "b7ad6b7169203331"
    assert span.context.trace_state.get("vendor") == "1"
    assert span.name == "execute_tool shout"
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "shout",
        "wasmoor.component": "tools/text",
        "wasmoor.cpu_seconds": 0.25,
        "wasmoor.memory_bytes": 65536,
    }


def test_calls_at_the_same_time_have_spans_of_their_own_and_a_failure_is_an_error() -> None:
    first, second = make_spans(
        events.FunctionCalled("tools/text", "shout", 1, b"{}", None),
        events.FunctionCalled("tools/text", "shout", 2, b"{}", None),
        events.FunctionFailed("tools/text", "shout", 2, 0.1, None, "Trapped", "unreachable"),
        events.FunctionCompleted("tools/text", "shout", 1, 0.2, None, b"{}"),
    )

    assert (first.status.status_code, first.status.description) == (StatusCode.ERROR, "unreachable")
    assert (first.attributes or {})["error.type"] == "Trapped"
    assert second.status.status_code is StatusCode.UNSET
    assert first.parent is second.parent is None


def test_a_load_is_a_span_that_fails_when_the_component_does() -> None:
    failed = events.Moved(
        component="tools/text", before=Phase.LOADING, phase=Phase.FAILED, reason="NotAComponent", message="a module"
    )
    spans = make_spans(
        events.ComponentLoading("tools/text"),
        events.ComponentLoading("tools/text"),
        events.ComponentLoaded("tools/text", 0.2),
        events.ComponentLoading("tools/text"),
        failed,
    )

    assert [span.status.description for span in spans] == ["given up", None, "NotAComponent: a module"]
    assert {span.name for span in spans} == {"load tools/text"}


def test_without_an_exporter_there_are_no_spans() -> None:
    assert build_spans({}) is None
    assert build_spans({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}) is None
