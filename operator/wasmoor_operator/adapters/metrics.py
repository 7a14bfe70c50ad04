"""Numbers about the operator, for Prometheus; fills `ports.Meter`. One registry for each process, passed explicitly."""

from __future__ import annotations

import prometheus_client

BUCKETS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


class Meter:
    """The metrics of one process."""

    def __init__(self) -> None:
        self.registry = prometheus_client.CollectorRegistry()
        self._reconciles = prometheus_client.Counter(
            "wasmoor_operator_reconciles",
            "Reconciles, by kind and by what came of them.",
            ["kind", "outcome"],
            registry=self.registry,
        )
        self._durations = prometheus_client.Histogram(
            "wasmoor_operator_reconcile_duration_seconds",
            "How long reconciles took.",
            ["kind"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._queued = prometheus_client.Gauge(
            "wasmoor_operator_queue_length", "Objects that wait to be looked at.", registry=self.registry
        )
        self._writes = prometheus_client.Counter(
            "wasmoor_operator_writes",
            "Writes to the API server, by resource and verb.",
            ["resource", "verb"],
            registry=self.registry,
        )
        self._leader = prometheus_client.Gauge(
            "wasmoor_operator_leader", "1 while this process leads, else 0.", registry=self.registry
        )

    def reconciled(self, kind: str, outcome: str, seconds: float) -> None:
        """Count one reconcile."""
        self._reconciles.labels(kind, outcome).inc()
        self._durations.labels(kind).observe(seconds)

    def queued(self, length: int) -> None:
        """Say how many keys wait."""
        self._queued.set(length)

    def wrote(self, resource: str, verb: str) -> None:
        """Count one write."""
        self._writes.labels(resource, verb).inc()

    def leads(self, leading: bool) -> None:  # noqa: FBT001 - a gauge is set to what is so
        """Say whether this process leads."""
        self._leader.set(1 if leading else 0)

    def render(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return prometheus_client.generate_latest(self.registry)
