"""What the controller needs from the world, as protocols; `adapters` fill them, tests fill them with fakes.

Reading is synchronous: everything is already in memory, kept fresh by watches and by questions that are asked in the
background. So nothing slow outside, be it a pod or a registry, can hold a reconcile up. Only writing is awaited.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from wasmoor_operator.decide import model

Write = Coroutine[Any, Any, None]
"""A write that was prepared and not yet awaited."""


class Key(NamedTuple):
    """One object of ours: what the queue holds and a reconcile is about."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """Return it as people write it."""
        return f"{self.kind} {self.namespace}/{self.name}"


class ConfigurationMissing(Exception):
    """No API server to connect to; the message says what was tried."""


class ApiFault(Exception):
    """The API server refused, failed or did not answer. The message holds no credential."""

    def __init__(self, status: int, reason: str, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        """HTTP status; 0 when there was no answer."""
        self.reason = reason
        """Kubernetes' word for it, such as `Conflict`."""
        self.message = message
        self.retry_after = retry_after
        """Seconds the server asked us to wait."""


class Cluster(Protocol):
    """The API server: what is known of it, and writes to it."""

    def take(self, kind: str, raw: model.Manifest, *, deleted: bool) -> bool:
        """Take in an object of ours that a watch told of; return False when that is no news."""
        ...

    def get(self, key: Key) -> model.Manifest | None:
        """Return a WasmComponent or ComponentPolicy as last seen."""
        ...

    def list_kind(self, kind: str, namespace: str | None = None) -> Sequence[model.Manifest]:
        """Return all WasmComponents or ComponentPolicies, of one namespace or of all that are served."""
        ...

    def list_children(self, key: Key) -> Sequence[model.Manifest]:
        """Return the children of a component, `kind` and `apiVersion` included."""
        ...

    def list_pods(self, key: Key) -> Sequence[model.Manifest]:
        """Return the pods of a component."""
        ...

    async def confirm(self, key: Key, uid: str) -> bool:
        """Ask the API server whether this very object is still there; forget it when it is not. Raises `ApiFault`."""
        ...

    async def refresh(self) -> None:
        """Read both kinds anew, so that a deletion no watch told of is noticed. Raises `ApiFault`."""
        ...

    async def apply(self, namespace: str, child: model.Child) -> None:
        """Write a child by server-side apply. Raises `ApiFault`."""
        ...

    async def delete(self, namespace: str, child: model.ChildRef) -> None:
        """Delete a child as it was last seen; one that is gone or was replaced is no fault. Raises `ApiFault`."""
        ...

    async def write_status(self, key: Key, uid: str, status: model.Manifest) -> None:
        """Replace the status of the object with this uid. Raises `ApiFault`."""
        ...


class Resolutions(Protocol):
    """What registries said about references."""

    def look_up(self, key: Key, component: model.Component, now: datetime) -> model.Resolution | None:
        """Return the newest answer for this component, and have the registry asked where that is due."""
        ...

    def forget(self, key: Key) -> None:
        """Drop what is remembered about a component that is gone."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PodAnswers:
    """What the pods of one component said."""

    reports: Mapping[str, model.Report]
    """By pod name."""
    registrations: Mapping[str, model.Registration]
    """By contract hash."""
    pending: bool
    """True while a first answer is still on its way; its arrival enqueues the component."""


class Pods(Protocol):
    """What pods say about themselves."""

    def look_up(self, key: Key, pods: Sequence[model.Manifest]) -> PodAnswers:
        """Return the newest answers, and have pods asked where that is due."""
        ...

    def forget(self, key: Key) -> None:
        """Drop what is remembered about a component that is gone."""
        ...


class Recorder(Protocol):
    """Kubernetes Events."""

    def record(self, regarding: model.Manifest, event: model.Event) -> None:
        """Queue an Event about this object; never waits, whatever becomes of it."""
        ...


class Meter(Protocol):
    """Numbers about the work itself."""

    def reconciled(self, kind: str, outcome: str, seconds: float) -> None:
        """Count one reconcile; `outcome` is one of `quiet`, `wrote`, `waiting`, `error`."""
        ...

    def queued(self, length: int) -> None:
        """Say how many keys wait."""
        ...

    def wrote(self, resource: str, verb: str) -> None:
        """Count one write to the API server."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All ports of a controller."""

    cluster: Cluster
    pods: Pods
    resolutions: Resolutions
    recorder: Recorder
    meter: Meter
