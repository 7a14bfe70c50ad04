"""Prometheus metrics of one process, in a registry of its own, prefix `wasmoor_`, base units.

Label values are bounded: components are those of this process, tools those they serve, verdicts a fixed list. Hears the
host's events; read by `admin`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from wasmoor_runtime import events
from wasmoor_runtime.contract.status import ComponentStatus
from wasmoor_runtime.ports import Usage
from wasmoor_runtime.telemetry.sink import CAUSES, Sink

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_CALL_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_LOAD_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)

# By the name of the counter behind `wasmoor_execution_`; in the order of `_bind_tool`.
_USED = {
    "cpu_seconds": "Processor time that calls used.",
    "fuel": "Fuel that calls used, where it is limited.",
    "io_operations": "System calls of calls that read or wrote files and pipes.",
    "io_bytes": "Bytes that those moved.",
}

# Returns the status of every component of this process.
Statuses = Callable[[], Iterable[ComponentStatus]]


class _Live(Collector):
    """What is asked when somebody looks, rather than counted when it happens."""

    def __init__(self, statuses: Statuses, sink: Sink | None) -> None:
        self._statuses = statuses
        self._sink = sink

    def collect(self) -> Iterable[Metric]:
        """Return gauges for workers and components, and the replacements the pools have counted."""
        workers = GaugeMetricFamily(
            "wasmoor_workers", "Processes that run calls, by what they do.", labels=("component", "state")
        )
        queued = GaugeMetricFamily("wasmoor_calls_queued", "Calls that wait for a worker.", labels=("component",))
        replaced = CounterMetricFamily(
            "wasmoor_worker_replacements", "Workers that were replaced, by cause.", labels=("component", "cause")
        )
        held = GaugeMetricFamily(
            "wasmoor_memory_usage_bytes", "Memory that running calls hold together.", labels=("component",)
        )
        peak = GaugeMetricFamily(
            "wasmoor_memory_peak_bytes", "The most memory that one call has held.", labels=("component",)
        )
        active = GaugeMetricFamily("wasmoor_active_instances", "Instances that run a call.", labels=("component",))
        ready = 0
        for status in self._statuses():
            component = f"{status.namespace}/{status.name}"
            ready += status.ready
            states: Mapping[str, int] = {
                "busy": status.workers.busy,
                "idle": max(status.workers.alive - status.workers.busy, 0),
            }
            for state, count in states.items():
                workers.add_metric((component, state), count)
            queued.add_metric((component,), status.workers.queued)
            held.add_metric((component,), status.memory.current_bytes)
            peak.add_metric((component,), status.memory.peak_bytes)
            active.add_metric((component,), status.memory.active_instances)
            replaced.add_metric((component, "ended"), status.workers.replaced)
            replaced.add_metric((component, "crashed"), status.workers.crashed)
        loaded = GaugeMetricFamily(
            "wasmoor_components_loaded", "Components whose tools can be called.", value=float(ready)
        )
        return (workers, queued, replaced, held, peak, active, loaded, *self._collect_sink())

    def _collect_sink(self) -> Iterable[Metric]:
        if self._sink is None:
            return ()
        dropped = CounterMetricFamily("wasmoor_events_dropped", "Events not sent, by cause.", labels=("cause",))
        for cause in CAUSES:
            dropped.add_metric((cause,), self._sink.dropped[cause])
        sent = CounterMetricFamily("wasmoor_events_sent", "Events sent to the sink.", value=self._sink.sent)
        queued = GaugeMetricFamily("wasmoor_events_queued", "Events that wait.", value=self._sink.queued)
        return (sent, dropped, queued)


class Metrics:
    """Counts calls and loads."""

    kinds: events.Kinds = (events.FunctionCompleted, events.FunctionFailed, events.ComponentLoaded)

    def __init__(self, statuses: Statuses, *, version: str, sink: Sink | None = None) -> None:
        # A series with the time of its first call doubles what is stored and helps nobody here.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry(auto_describe=False)
        labels = ("component", "tool")
        self._calls = Counter(
            "wasmoor_calls", "Calls of tools, by how they ended.", (*labels, "verdict"), registry=self._registry
        )
        self._seconds = Histogram(
            "wasmoor_execution_duration_seconds", "Time from a call to its answer, waiting included.", labels,
            buckets=_CALL_BUCKETS, registry=self._registry,
        )  # fmt: skip
        self._used = {
            name: Counter(f"wasmoor_execution_{name}", text, labels, registry=self._registry)
            for name, text in _USED.items()
        }
        self._load = Histogram(
            "wasmoor_load_duration_seconds", "Time to pull, compile and start a component.",
            ("component",), buckets=_LOAD_BUCKETS, registry=self._registry,
        )  # fmt: skip
        self._loads = Counter("wasmoor_loads", "Times a component was loaded.", ("component",), registry=self._registry)
        info = Gauge("wasmoor_info", "Always 1; the labels say what runs.", ("version",), registry=self._registry)
        info.labels(version).set(1)
        self._registry.register(_Live(statuses, sink))
        # Looking a child up by its labels costs more than counting, so each is looked up once.
        self._count = functools.cache(self._calls.labels)
        self._account = functools.cache(self._bind_tool)

    def hear(self, event: events.Event) -> None:
        """Count what is counted."""
        if isinstance(event, events.FunctionCompleted):
            self._count(event.component_id, event.function, "Ok").inc()
            self._account(event.component_id, event.function)(event.duration, event.usage)
        elif isinstance(event, events.FunctionFailed):
            self._count(event.component_id, event.function, event.reason).inc()
            self._account(event.component_id, event.function)(event.duration, event.usage)
        elif isinstance(event, events.ComponentLoaded):
            self._loads.labels(event.component_id).inc()
            self._load.labels(event.component_id).observe(event.load_time)

    def _bind_tool(self, component: str, tool: str) -> Callable[[float, Usage | None], None]:
        """Return what takes the account of one call of this tool."""
        observe = self._seconds.labels(component, tool).observe
        cpu, fuel, operations, moved = (self._used[name].labels(component, tool).inc for name in _USED)

        def account(seconds: float, used: Usage | None) -> None:
            observe(seconds)
            if used is None:
                return
            cpu(used.cpu_seconds)
            if used.fuel:
                fuel(used.fuel)
            if used.io_operations:
                operations(used.io_operations)
            if used.io_bytes:
                moved(used.io_bytes)

        return account

    def render(self) -> bytes:
        """Return the page in Prometheus' text format."""
        return generate_latest(self._registry)
