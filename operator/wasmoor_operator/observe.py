"""Gather what a decision may depend on, from what the ports already know. Never waits, never writes.

Parsing is remembered by uid and resourceVersion, since one change of a policy makes every component of its namespace
look again. Called by the controller.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from wasmoor_operator import errors, ports
from wasmoor_operator.api import group
from wasmoor_operator.decide import model, parsing

Parsed = TypeVar("Parsed")
Version = tuple[str, str]
"""Uid and resourceVersion."""


@dataclass(slots=True)
class Parser:
    """Parses objects, each version once."""

    _components: dict[ports.Key, tuple[Version, model.Component]] = field(default_factory=dict)
    _policies: dict[ports.Key, tuple[Version, model.Policy]] = field(default_factory=dict)

    def component(self, raw: model.Manifest) -> model.Component:
        """Return a component."""
        return _remember(self._components, group.COMPONENT_KIND, raw, parsing.parse_component)

    def policy(self, raw: model.Manifest) -> model.Policy:
        """Return a policy."""
        return _remember(self._policies, group.POLICY_KIND, raw, parsing.parse_policy)

    def forget(self, key: ports.Key) -> None:
        """Drop an object that is gone."""
        self._components.pop(key, None)
        self._policies.pop(key, None)


def _remember(
    known: dict[ports.Key, tuple[Version, Parsed]],
    kind: str,
    raw: model.Manifest,
    parse: Callable[[model.Manifest], Parsed],
) -> Parsed:
    meta = raw["metadata"]
    key = ports.Key(kind, meta["namespace"], meta["name"])
    version = (str(meta["uid"]), str(meta.get("resourceVersion", "")))
    found = known.get(key)
    if found is None or found[0] != version:
        found = version, parse(raw)
        known[key] = found
    return found[1]


def observe_component(
    key: ports.Key,
    raw: model.Manifest,
    parser: Parser,
    world: ports.World,
    now: datetime,
    apply_fault: errors.OperatorFault | None,
) -> tuple[model.Observed, bool]:
    """Return what is known about one component, and whether that is enough to speak about it.

    It is not enough right after a start: what was said before stands until pods and registries have been asked once.
    """
    component = parser.component(raw)
    answers = world.pods.look_up(key, world.cluster.list_pods(key))
    observed = model.Observed(
        component=component,
        now=now,
        policies=tuple(parser.policy(policy) for policy in world.cluster.list_kind(group.POLICY_KIND, key.namespace)),
        resolution=world.resolutions.look_up(key, component, now),
        children=tuple(world.cluster.list_children(key)),
        pods=tuple(parsing.parse_pod(pod) for pod in world.cluster.list_pods(key)),
        reports=answers.reports,
        registrations=answers.registrations,
        apply_fault=apply_fault,
    )
    return observed, not (answers.pending and component.status)


def observe_policy(raw: model.Manifest, parser: Parser, cluster: ports.Cluster, now: datetime) -> model.ObservedPolicy:
    """Return what is known about one policy."""
    namespace = raw["metadata"]["namespace"]
    return model.ObservedPolicy(
        policy=parser.policy(raw),
        now=now,
        siblings=tuple(parser.policy(other) for other in cluster.list_kind(group.POLICY_KIND, namespace)),
        components=tuple(parser.component(other) for other in cluster.list_kind(group.COMPONENT_KIND, namespace)),
    )
