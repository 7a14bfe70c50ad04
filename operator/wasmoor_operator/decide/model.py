"""What goes into a decision and what comes out of it: frozen values, the seam between I/O and the pure core.

`observe` builds an `Observed` and `apply` carries out a `Plan`; nothing else passes between them. Objects of Kubernetes
are plain dictionaries as the API server sent them, and nobody changes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from wasmoor_operator.api.component import WasmComponentSpec
from wasmoor_operator.api.policy import ComponentPolicySpec
from wasmoor_operator.errors import OperatorFault
from wasmoor_runtime.contract.status import PodStatus

Manifest = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A WasmComponent as it was read. `parsing.parse_component` builds it."""

    namespace: str
    name: str
    uid: str
    generation: int
    deleting: bool = False
    spec: WasmComponentSpec | None
    """None when the stored spec cannot be understood; then `problem` says why."""
    problem: str = ""
    status: Manifest = field(default_factory=dict)
    """The status as stored, empty at first sight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A ComponentPolicy as it was read. `parsing.parse_policy` builds it."""

    namespace: str
    name: str
    uid: str
    generation: int
    spec: ComponentPolicySpec | None
    """None when the stored spec cannot be understood; then `problem` says why."""
    problem: str = ""
    status: Manifest = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What came of asking what one source names. Kept in memory by `observe`, one for each component."""

    reference: str
    """What was asked about, as `resolution.name_source` names it: the reference of the spec, or a ConfigMap."""
    generation: int
    """Of the component when it was asked."""
    attempted_at: datetime
    digest: str = ""
    """Manifest digest; empty when the question failed, and of a ConfigMap."""
    version: str = ""
    """Version of a ConfigMap; empty when the question failed, and of an OCI reference."""
    fault: OperatorFault | None = None
    """Why it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastExit:
    """How a container ended before it was started again."""

    reason: str
    """Kubelet's word, such as `OOMKilled` or `Error`."""
    exit_code: int
    message: str = ""
    finished_at: str = ""
    """As in the pod's status: RFC 3339."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod of the component. `parsing.parse_pod` builds it."""

    name: str
    ip: str = ""
    contract: str = ""
    """Value of the label `wasmoor.dev/contract`."""
    ready: bool = False
    deleting: bool = False
    restarts: int = 0
    last_exit: LastExit | None = None
    trouble: str = ""
    """Why Kubernetes cannot start it (unschedulable, image not pulled, …): one sentence, empty when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a pod said on `/status`, or why it could not be asked."""

    status: PodStatus | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool as a client sees it."""

    name: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What came of a real MCP `tools/list` against one ready pod."""

    pod: str
    tools: tuple[Tool, ...] = ()
    """All of them, in the order of the answer."""
    tools_hash: str = ""
    """`sha256:…` over names, descriptions and schemas."""
    problem: str = ""
    """Why it failed; empty when it did not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Everything a decision about one WasmComponent may depend on."""

    component: Component
    now: datetime
    """Aware, UTC."""
    policies: tuple[Policy, ...] = ()
    """All of the component's namespace."""
    resolution: Resolution | None = None
    """The newest answer about this component's reference; None when nobody has asked since the operator started."""
    children: tuple[Manifest, ...] = ()
    """ServiceAccount, ConfigMaps, Deployment and Service that carry the component's label, `kind` included."""
    pods: tuple[Pod, ...] = ()
    reports: Mapping[str, Report] = field(default_factory=dict)
    """By pod name; of every pod that has an address and is not deleting."""
    registrations: Mapping[str, Registration] = field(default_factory=dict)
    """By contract hash; of every contract that a ready pod serves."""
    apply_fault: OperatorFault | None = None
    """What the last `apply` for this component ran into, if it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A manifest to apply. Stages are applied in order, the children of one stage at the same time."""

    stage: int
    manifest: Manifest
    force: bool
    """True when the object is known to be ours: fields that others took are taken back. False when it is not known to
    exist: should it exist after all, a conflict says that it is somebody else's (`NameTaken`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildRef:
    """A child to delete."""

    api_version: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A transition to tell people about."""

    warning: bool
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done about one WasmComponent, in this order."""

    children: tuple[Child, ...] = ()
    """Only what is missing or differs; empty when every child is as it should be."""
    prune: tuple[ChildRef, ...] = ()
    status: Manifest | None = None
    """The whole new status; None when nothing changed and nothing is to be written."""
    events: tuple[Event, ...] = ()
    requeue_after: float | None = None
    """Seconds; None when only a change can matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedPolicy:
    """Everything a decision about one ComponentPolicy may depend on."""

    policy: Policy
    now: datetime
    siblings: tuple[Policy, ...] = ()
    """All policies of the namespace, this one included."""
    components: tuple[Component, ...] = ()
    """All components of the namespace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPlan:
    """What is to be done about one ComponentPolicy."""

    status: Manifest | None = None
    """The whole new status; None when nothing changed."""
    events: tuple[Event, ...] = ()
