"""Fakes of the operator's ports: a cluster in memory, and pods and registries that say what a test tells them to."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from wasmoor_operator import ports
from wasmoor_operator.api import group
from wasmoor_operator.decide import model

DIGEST = "sha256:" + "a" * 64


def make_component(name: str = "text", namespace: str = "tools", **changes: Any) -> dict[str, Any]:
    """Return a WasmComponent that names a digest, as the API server would send it."""
    return {
        "apiVersion": group.API_VERSION,
        "kind": group.COMPONENT_KIND,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-of-{name}",
            "generation": 1,
            "resourceVersion": "1",
        },
        "spec": {"source": {"oci": {"reference": f"registry.test/{name}@{DIGEST}"}}},
        **changes,
    }


@dataclass
class FakeCluster:
    """Objects in memory, and what goes wrong with them."""

    own: dict[ports.Key, dict[str, Any]] = field(default_factory=dict)
    children: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    fault: Exception | None = None
    """Raised by every write."""
    refused: dict[str, Exception] = field(default_factory=dict)
    """Raised when a child of this kind is applied."""
    loses: bool = False
    """What is applied is gone at once."""
    gone: set[ports.Key] = field(default_factory=set)
    """Deleted, although no watch has told so."""
    _versions: Any = field(default_factory=lambda: itertools.count(100))

    def add(self, raw: Mapping[str, Any]) -> ports.Key:
        meta = raw["metadata"]
        key = ports.Key(raw["kind"], meta["namespace"], meta["name"])
        self.own[key] = dict(raw)
        return key

    def take(self, kind: str, raw: model.Manifest, *, deleted: bool) -> bool:
        key = ports.Key(kind, raw["metadata"]["namespace"], raw["metadata"]["name"])
        if deleted:
            return self.own.pop(key, None) is not None
        news = self.own.get(key) != raw
        self.own[key] = dict(raw)
        return news

    def get(self, key: ports.Key) -> model.Manifest | None:
        return self.own.get(key)

    def list_kind(self, kind: str, namespace: str | None = None) -> Sequence[model.Manifest]:
        return [raw for key, raw in self.own.items() if key.kind == kind and namespace in {None, key.namespace}]

    def list_children(self, key: ports.Key) -> Sequence[model.Manifest]:
        label = group.COMPONENT_LABEL
        return [raw for raw in self.children.values() if raw["metadata"]["labels"].get(label) == key.name]

    def list_pods(self, key: ports.Key) -> Sequence[model.Manifest]:
        del key
        return []

    async def confirm(self, key: ports.Key, uid: str) -> bool:
        del uid
        self.writes.append("confirm")
        if key in self.gone:
            self.own.pop(key, None)
        return key in self.own

    async def refresh(self) -> None:
        self.writes.append("refresh")

    async def apply(self, namespace: str, child: model.Child) -> None:
        kind, name = child.manifest["kind"], child.manifest["metadata"]["name"]
        await asyncio.sleep(0)
        if fault := self.fault or self.refused.get(kind):
            raise fault
        self.writes.append(f"apply {kind}")
        if not self.loses:
            self.children[namespace, kind, name] = {**child.manifest}

    async def delete(self, namespace: str, child: model.ChildRef) -> None:
        self.writes.append(f"delete {child.kind}")
        self.children.pop((namespace, child.kind, child.name), None)

    async def write_status(self, key: ports.Key, uid: str, status: model.Manifest) -> None:
        if self.fault is not None:
            raise self.fault
        assert self.own[key]["metadata"]["uid"] == uid
        self.writes.append("status")
        meta = {**self.own[key]["metadata"], "resourceVersion": str(next(self._versions))}
        self.own[key] = {**self.own[key], "metadata": meta, "status": dict(status)}

    def condition(self, key: ports.Key, kind: str) -> Mapping[str, Any]:
        found = self.own[key].get("status", {}).get("conditions", [])
        return next((each for each in found if each["type"] == kind), {})


@dataclass
class FakePods:
    """Pods that say nothing, or are still being asked."""

    pending: bool = False
    forgotten: list[ports.Key] = field(default_factory=list)

    def look_up(self, key: ports.Key, pods: Sequence[model.Manifest]) -> ports.PodAnswers:
        del key, pods
        return ports.PodAnswers(reports={}, registrations={}, pending=self.pending)

    def forget(self, key: ports.Key) -> None:
        self.forgotten.append(key)


@dataclass
class FakeResolutions:
    """A registry's answers."""

    answer: model.Resolution | None = None
    forgotten: list[ports.Key] = field(default_factory=list)

    def look_up(self, key: ports.Key, component: model.Component, now: datetime) -> model.Resolution | None:
        del key, component, now
        return self.answer

    def forget(self, key: ports.Key) -> None:
        self.forgotten.append(key)


@dataclass
class FakeRecorder:
    """Remembers what was told."""

    events: list[model.Event] = field(default_factory=list)

    def record(self, regarding: model.Manifest, event: model.Event) -> None:
        del regarding
        self.events.append(event)


@dataclass
class FakeMeter:
    """Counts."""

    outcomes: list[str] = field(default_factory=list)
    writes: list[tuple[str, str]] = field(default_factory=list)

    def reconciled(self, kind: str, outcome: str, seconds: float) -> None:
        del kind, seconds
        self.outcomes.append(outcome)

    def queued(self, length: int) -> None:
        del length

    def wrote(self, resource: str, verb: str) -> None:
        self.writes.append((resource, verb))


@dataclass
class FakeWorld:
    """All of them."""

    cluster: FakeCluster = field(default_factory=FakeCluster)
    pods: FakePods = field(default_factory=FakePods)
    resolutions: FakeResolutions = field(default_factory=FakeResolutions)
    recorder: FakeRecorder = field(default_factory=FakeRecorder)
    meter: FakeMeter = field(default_factory=FakeMeter)

    def as_world(self) -> ports.World:
        return ports.World(
            cluster=self.cluster,
            pods=self.pods,
            resolutions=self.resolutions,
            recorder=self.recorder,
            meter=self.meter,
        )
