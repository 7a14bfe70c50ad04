"""`WasmComponent.spec`: what people write to have a component served.

Composed of the parts that reach the pod (`wasmoor_runtime.contract.spec`) and of what only a cluster understands.
Pure; the generated CRD carries these descriptions.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from wasmoor_runtime.contract.model import Model
from wasmoor_runtime.contract.spec import Execution, Quantity, Source, Tools

DNS_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
DNS_SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"

Name = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=DNS_SUBDOMAIN)]
AnnotationValue = Annotated[str, StringConstraints(max_length=4096)]


class PolicyRef(Model):
    """Which policy applies."""

    name: Name
    """A ComponentPolicy in the same namespace."""


class Resources(Model):
    """What each pod asks of its node."""

    requests: dict[str, Quantity] = Field(default_factory=dict, max_length=8)
    """What is set aside for the pod, for example `cpu: 50m` and `memory: 128Mi`."""
    limits: dict[str, Quantity] = Field(default_factory=dict, max_length=8)
    """What the pod is held to, for example `memory: 512Mi`."""


class Service(Model):
    """The Service in front of the pods."""

    annotations: dict[str, AnnotationValue] = Field(default_factory=dict, max_length=32)
    """Annotations for the Service, for load balancers and meshes."""
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    """The port clients connect to; the path is `/mcp`."""


class WasmComponentSpec(Model):
    """A WebAssembly component to serve as MCP tools."""

    source: Source
    """Where the component comes from; exactly one member."""
    policy_ref: PolicyRef | None = None
    """The policy to apply. Absent: the namespace's default policy, or else the built-in one, which denies all."""
    tools: Tools = Tools()
    """Which exported functions become tools, and how they are described."""
    replicas: Annotated[int, Field(ge=0, le=1000)] | None = None
    """How many pods. Absent: one, unless an autoscaler decides; the operator then leaves the number alone."""
    execution: Execution = Execution()
    """How calls are run."""
    resources: Resources = Resources()
    """What each pod asks of its node."""
    service: Service = Service()
    """The Service in front of the pods."""
    suspend: bool = False
    """Stop all pods and keep everything else."""
    pod_template: dict[str, Any] = Field(default_factory=dict)
    """A partial PodTemplateSpec laid over the rendered one, for example `spec: {nodeSelector: {...}}`."""
