"""Kubernetes Events: transitions for `kubectl describe`, posted in the background.

The same transition of the same object is told once in ten minutes. A queue of bounded length holds what waits; what
does not fit, or cannot be posted, is dropped and logged, never waited for. Fills `ports.Recorder`.
https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from wasmoor_operator import ports, reasons
from wasmoor_operator.decide import model

logger = logging.getLogger(__name__)

WAITING = 1000
REMEMBERED = 8192
QUIET = 600.0
# Bounds of the API: https://github.com/kubernetes/api/blob/master/events/v1/types.go
NOTE_BYTES = 1024
CONTROLLER = "wasmoor.dev/operator"


class Poster(Protocol):
    """What a recorder needs of a `connection.Connection`."""

    async def create(self, path: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """POST an object."""
        ...


class Recorder:
    """Posts Events; `run` does the posting."""

    def __init__(self, api: Poster, instance: str, meter: ports.Meter) -> None:
        self._api, self._instance, self._meter = api, instance, meter
        self._queue: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue(WAITING)
        self._told: OrderedDict[str, float] = OrderedDict()

    def record(self, regarding: model.Manifest, event: model.Event) -> None:
        """Queue an Event about this object."""
        meta = regarding["metadata"]
        reason = reasons.Reason(event.reason)  # the list of reasons is closed
        identity = hashlib.sha256("\0".join((meta["uid"], reason, event.message)).encode()).hexdigest()[:16]
        now = time.monotonic()
        if now - self._told.get(identity, -QUIET) < QUIET:
            return
        self._told[identity] = now
        self._told.move_to_end(identity)
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        manifest = self._render(regarding, event, f"{meta['name'][:200]}.{identity}")
        try:
            self._queue.put_nowait((meta["namespace"], manifest))
        except asyncio.QueueFull:
            logger.warning("too many Events wait; dropped %s about %s/%s", reason, meta["namespace"], meta["name"])

    async def run(self) -> None:
        """Post what is queued until cancelled."""
        while True:
            namespace, manifest = await self._queue.get()
            self._meter.wrote("events", "create")
            try:
                await self._api.create(f"/apis/events.k8s.io/v1/namespaces/{namespace}/events", manifest)
            except ports.ApiFault as fault:
                logger.warning("an Event could not be posted: %s", fault.message)

    def _render(self, regarding: model.Manifest, event: model.Event, name: str) -> dict[str, Any]:
        meta = regarding["metadata"]
        now = datetime.now(UTC)
        return {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            # A name of its own for each time it is told; the API server keeps Events for an hour.
            "metadata": {"name": f"{name}.{int(now.timestamp()):x}", "namespace": meta["namespace"]},
            "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": CONTROLLER,
            "reportingInstance": self._instance[:128],
            "action": "Reconcile",
            "reason": event.reason,
            "type": "Warning" if event.warning else "Normal",
            "note": event.message.encode()[:NOTE_BYTES].decode(errors="ignore"),
            "regarding": {
                "apiVersion": regarding["apiVersion"],
                "kind": regarding["kind"],
                "namespace": meta["namespace"],
                "name": meta["name"],
                "uid": meta["uid"],
                "resourceVersion": meta.get("resourceVersion", ""),
            },
        }
