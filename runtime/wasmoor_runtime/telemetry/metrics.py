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

from wasmoor_runtime.contract.status import ComponentStatus
from wasmoor_runtime.host import events

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_CALL_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_LOAD_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)

# Returns the status of every component of this process.
Statuses = Callable[[], Iterable[ComponentStatus]]


class _Live(Collector):
    """What is asked when somebody looks, rather than counted when it happens."""

    def __init__(self, statuses: Statuses) -> None:
        self._statuses = statuses

    def collect(self) -> Iterable[Metric]:
        """Return gauges for workers and components, and the replacements the pools have counted."""
        workers = GaugeMetricFamily(
            "wasmoor_workers", "Processes that run calls, by what they do.", labels=("component", "state")
        )
        queued = GaugeMetricFamily("wasmoor_calls_queued", "Calls that wait for a worker.", labels=("component",))
        replaced = CounterMetricFamily(
            "wasmoor_worker_replacements", "Workers that were replaced, by cause.", labels=("component", "cause")
        )
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
            replaced.add_metric((component, "ended"), status.workers.replaced)
            replaced.add_metric((component, "crashed"), status.workers.crashed)
        loaded = GaugeMetricFamily(
            "wasmoor_components_loaded", "Components whose tools can be called.", value=float(ready)
        )
        return (workers, queued, replaced, loaded)


class Metrics:
    """Counts calls and loads."""

    def __init__(self, statuses: Statuses, *, version: str) -> None:
        # A series with the time of its first call doubles what is stored and helps nobody here.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry(auto_describe=False)
        self._calls = Counter(
            "wasmoor_calls", "Calls of tools, by how they ended.", ("component", "tool", "verdict"),
            registry=self._registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "wasmoor_call_duration_seconds", "Time from a call to its answer, waiting included.",
            ("component", "tool"), buckets=_CALL_BUCKETS, registry=self._registry,
        )  # fmt: skip
        self._cpu = Counter(
            "wasmoor_call_cpu_seconds", "Processor time that calls used.", ("component", "tool"),
            registry=self._registry,
        )  # fmt: skip
        self._load = Histogram(
            "wasmoor_component_load_duration_seconds", "Time to pull, compile and start a component.",
            ("component",), buckets=_LOAD_BUCKETS, registry=self._registry,
        )  # fmt: skip
        info = Gauge("wasmoor_info", "Always 1; the labels say what runs.", ("version",), registry=self._registry)
        info.labels(version).set(1)
        self._registry.register(_Live(statuses))
        # Looking a child up by its labels costs more than counting, so each is looked up once.
        self._count = functools.cache(self._calls.labels)
        self._observe = functools.cache(self._seconds.labels)
        self._spend = functools.cache(self._cpu.labels)

    def hear(self, event: events.Event) -> None:
        """Count what is counted."""
        if isinstance(event, events.Called):
            self._count(event.component, event.tool, event.verdict).inc()
            self._observe(event.component, event.tool).observe(event.seconds)
            if event.cpu_seconds > 0:
                self._spend(event.component, event.tool).inc(event.cpu_seconds)
        elif isinstance(event, events.Loaded):
            self._load.labels(event.component).observe(event.seconds)

    def render(self) -> bytes:
        """Return the page in Prometheus' text format."""
        return generate_latest(self._registry)
