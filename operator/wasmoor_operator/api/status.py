"""The status of both kinds: what the operator has observed. Pure.

`decide` writes these; nothing reads `phase` or `pods` back, they are for people.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from wasmoor_runtime.contract.model import Model

Text = Annotated[str, StringConstraints(max_length=1024)]
ShortText = Annotated[str, StringConstraints(max_length=256)]
Time = Annotated[str, StringConstraints(max_length=64), Field(json_schema_extra={"format": "date-time"})]

MAX_TOOLS = 64
MAX_INTERFACES = 64
MAX_DESCRIPTION = 256


class Phase(StrEnum):
    """How far a component is, for people; follows from the conditions."""

    DISCOVERING = "Discovering"
    LOADING = "Loading"
    REGISTERING = "Registering"
    RUNNING = "Running"
    DEGRADED = "Degraded"
    STOPPING = "Stopping"
    SUSPENDED = "Suspended"
    RESTARTING = "Restarting"
    FAILED = "Failed"


class ConditionStatus(Model):
    """One aspect of the state, as `metav1.Condition` defines it."""

    type: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    """Which aspect."""
    status: Literal["True", "False", "Unknown"]
    """Whether it holds; Unknown when it cannot be told now."""
    reason: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9]*$")]
    """Why, as one word for programs."""
    message: Text
    """Why, as a sentence for people."""
    observed_generation: Annotated[int, Field(ge=0)]
    """The generation of the spec that this is about."""
    last_transition_time: Time
    """When `status` last changed."""


class ArtifactStatus(Model):
    """The version that is served or about to be."""

    reference: Annotated[str, StringConstraints(max_length=2048)]
    """What was resolved: a reference, a URL without its query, a file's path, or `configmap/NAME`."""
    digest: Annotated[str, StringConstraints(max_length=80)] | None = None
    """Digest of the OCI manifest, or of the file; one that the spec does not pin is known once a pod has read it."""
    version: ShortText | None = None
    """Version of the ConfigMap, where the spec does not pin the file in it."""
    layer_digest: Annotated[str, StringConstraints(max_length=80)] | None = None
    """Digest of the component itself, once a pod has pulled it."""
    size: Annotated[int, Field(ge=0)] | None = None
    """Bytes of the component, once a pod has pulled it."""
    media_type: ShortText | None = None
    """Media type of the component's layer, once a pod has pulled it."""
    policy_digest: Annotated[str, StringConstraints(max_length=80)] | None = None
    """Digest of the policy that the artifact carries; it is not applied."""
    resolved_at: Time
    """When the reference first named this digest."""


class ComponentInfo(Model):
    """What the component is, once a pod has loaded it."""

    name: ShortText
    """Its own name, or else its publisher's word, or else the name of this object."""
    version: ShortText | None = None
    """Its own version, or else its publisher's word."""
    language: ShortText | None = None
    """The language it was written in, where it can be told."""
    imports: tuple[ShortText, ...] = Field(default=(), max_length=MAX_INTERFACES)
    """The first 64 WIT interfaces and functions that it imports."""
    exports: tuple[ShortText, ...] = Field(default=(), max_length=MAX_INTERFACES)
    """The first 64 WIT interfaces and functions that it exports."""


class ToolStatus(Model):
    """A tool, as a client sees it."""

    name: Annotated[str, StringConstraints(max_length=128)]
    """The name to call."""
    description: Annotated[str, StringConstraints(max_length=MAX_DESCRIPTION)] = ""
    """What it does; the beginning of it where it is long."""


class PolicyStatus(Model):
    """The policy in force."""

    name: Annotated[str, StringConstraints(max_length=253)] | None = None
    """The ComponentPolicy; absent for the built-in one."""
    source: Literal["Component", "Namespace", "Default"]
    """Named by the component, the namespace's default, or built in."""
    hash: Annotated[str, StringConstraints(max_length=80)] | None = None
    """Changes when what the policy says changes; absent for the built-in one."""


class RestartsStatus(Model):
    """Restarts of the pods that exist now."""

    count: Annotated[int, Field(ge=0)]
    """How often their containers were started again."""
    last_reason: ShortText | None = None
    """Why the latest one was."""
    last_message: Text | None = None
    """The same as a sentence."""
    last_time: Time | None = None
    """When the container ended."""


class WasmComponentStatus(Model):
    """What the operator has observed."""

    observed_generation: Annotated[int, Field(ge=0)]
    """The generation of the spec that this status is about."""
    phase: Phase
    """How far the component is, for people; programs read the conditions."""
    artifact: ArtifactStatus | None = None
    """The version that is served or about to be."""
    component: ComponentInfo | None = None
    """What the component is, once a pod has loaded it."""
    tools: tuple[ToolStatus, ...] = Field(default=(), max_length=MAX_TOOLS)
    """The first 64 tools, as an MCP `tools/list` answered."""
    tool_count: Annotated[int, Field(ge=0)] | None = None
    """How many tools there are."""
    tools_hash: Annotated[str, StringConstraints(max_length=80)] | None = None
    """Changes when a tool's name, description or schema does."""
    policy: PolicyStatus | None = None
    """The policy in force."""
    endpoint: Annotated[str, StringConstraints(max_length=512)] | None = None
    """Where MCP clients inside the cluster connect."""
    replicas: Annotated[int, Field(ge=0)] = 0
    """Pods there are."""
    ready_replicas: Annotated[int, Field(ge=0)] = 0
    """Pods whose tools can be called."""
    pods: Annotated[str, StringConstraints(max_length=32)] = "0/0"
    """Ready pods of wanted pods, for people."""
    selector: Annotated[str, StringConstraints(max_length=256)] | None = None
    """Label selector of the pods, for autoscalers."""
    restarts: RestartsStatus
    """Restarts of the pods that exist now."""
    conditions: tuple[ConditionStatus, ...] = Field(default=(), max_length=16)
    """Resolved, PolicyApplied, Loaded, Registered, Ready; Reconciling and Stalled."""


class ComponentPolicyStatus(Model):
    """What the operator has observed."""

    observed_generation: Annotated[int, Field(ge=0)]
    """The generation of the spec that this status is about."""
    bound_components: Annotated[int, Field(ge=0)]
    """How many components of the namespace this policy applies to."""
    hash: Annotated[str, StringConstraints(max_length=80)] | None = None
    """Changes when what the policy says changes."""
    conditions: tuple[ConditionStatus, ...] = Field(default=(), max_length=16)
    """Ready: the policy can be applied."""
