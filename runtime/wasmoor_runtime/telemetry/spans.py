"""Spans of loads and calls for OpenTelemetry, where an exporter is configured and the extra `wasmoor[otel]` is there.

A call's span continues the trace that its request names. What a guest itself asks of others is denied today; when it is
not, its requests are to carry the context of the call's span. Exporting happens in a thread of the SDK, which bounds
its queue and drops what does not fit.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from wasmoor_runtime import events
from wasmoor_runtime.contract.status import Phase

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

_log = logging.getLogger(__name__)


class Spans:
    """A listener that makes spans."""

    kinds: events.Kinds = (
        events.ComponentLoading,
        events.ComponentLoaded,
        events.Moved,
        *events.FUNCTION_KINDS,
    )

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("wasmoor")
        self._loads: dict[str, Span] = {}
        self._calls: dict[tuple[str, int], Span] = {}

    def hear(self, event: events.Event) -> None:
        """Begin or end a span."""
        match event:
            case events.FunctionCalled():
                self._begin_call(event)
            case events.FunctionCompleted() | events.FunctionFailed():
                self._end_call(event)
            case events.ComponentLoading():
                attributes = {"wasmoor.component": event.component_id}
                span = self._tracer.start_span(f"load {event.component_id}", attributes=attributes)
                self._end_load(event.component_id, "given up", span)
            case events.ComponentLoaded():
                self._end_load(event.component_id)
            case events.Moved(phase=Phase.FAILED):
                self._end_load(event.component, f"{event.reason}: {event.message}")

    def close(self) -> None:
        """Send what is left; to be called outside the event loop."""
        self._provider.shutdown()

    def _begin_call(self, event: events.FunctionCalled) -> None:
        from opentelemetry.trace import SpanKind

        self._calls[event.component_id, event.call] = self._tracer.start_span(
            f"execute_tool {event.function}",
            context=_parse_context(event.trace),
            kind=SpanKind.SERVER,
            attributes={
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": event.function,
                "wasmoor.component": event.component_id,
            },
        )

    def _end_call(self, event: events.FunctionCompleted | events.FunctionFailed) -> None:
        from opentelemetry.trace import StatusCode

        span = self._calls.pop((event.component_id, event.call), None)
        if span is None:
            return
        if event.usage is not None:
            span.set_attribute("wasmoor.cpu_seconds", event.usage.cpu_seconds)
            span.set_attribute("wasmoor.memory_bytes", event.usage.memory_bytes)
        if isinstance(event, events.FunctionFailed):
            span.set_attribute("error.type", event.reason)
            span.set_status(StatusCode.ERROR, event.error)
        span.end()

    def _end_load(self, component: str, why: str = "", following: Span | None = None) -> None:
        from opentelemetry.trace import StatusCode

        span = self._loads.pop(component, None)
        if span is not None:
            if why:
                span.set_status(StatusCode.ERROR, why)
            span.end()
        if following is not None:
            self._loads[component] = following


def build_spans(environment: Mapping[str, str]) -> Spans | None:
    """Return the listener, or none where no exporter is configured; everything else is the SDK's own variables."""
    if not any(environment.get(name) for name in _ENDPOINTS):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        _log.warning("%s is set, but OpenTelemetry is not installed: install wasmoor[otel]", _ENDPOINTS[1])
        return None
    name = environment.get("OTEL_SERVICE_NAME") or "wasmoor-runtime"
    # A provider of our own rather than the global one: the MCP library would add a second span for every request.
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Spans(provider)


def _parse_context(trace: events.Trace | None) -> Context | None:
    if trace is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier = {"traceparent": trace.parent, "tracestate": trace.state}
    return TraceContextTextMapPropagator().extract(carrier)
