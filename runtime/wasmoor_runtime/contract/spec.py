"""The parts of a manifest that reach the pod, as people write them.

The operator's API models are built from these, and `wasmoor serve -f` reads manifests with them, so both understand the
same words. They carry the descriptions that `kubectl explain` shows. Pure; what depends on a cluster is not here.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from wasmoor_runtime.contract.model import Model
from wasmoor_runtime.contract.quantities import DURATION_PATTERN, QUANTITY_PATTERN

Duration = Annotated[str, StringConstraints(pattern=DURATION_PATTERN, max_length=32)]
# YAML reads `cpu: 1` as a number; Kubernetes takes that for a quantity, so do we.
Quantity = Annotated[
    str,
    StringConstraints(pattern=QUANTITY_PATTERN, max_length=32),
    BeforeValidator(lambda value: str(value) if type(value) is int else value),
]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$", max_length=64)]
OBJECT_NAME = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
ObjectName = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=OBJECT_NAME)]
ConfigMapKey = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")]
ToolGlob = Annotated[str, StringConstraints(min_length=1, max_length=128)]


SOURCE_MEMBERS = ("oci", "http", "config_map", "file")
ONE_SOURCE = (
    "source needs exactly one member: write oci: {reference: registry/repository:tag}, http: {url: ..., sha256: ...},"
    " configMap: {name: ..., key: ...} or file: {path: ...}"
)


class OciSource(Model):
    """A component in an OCI registry."""

    reference: Annotated[str, StringConstraints(min_length=1, max_length=512)]
    """What to serve: `registry/repository:tag`, `…:tag@sha256:…` or `…@sha256:…`. Pods run the digest a tag names."""
    refresh: Duration | None = None
    """How often a tag is looked up again, for example `10m`. Absent: once for every change of the spec."""
    insecure: bool = False
    """Speak plain HTTP to this registry. For a registry in a lab; loopback addresses need no such word."""


class HttpSource(Model):
    """A component on a web server, pinned by its hash: nothing unpinned runs."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=2048)]
    """Where the .wasm file is: `https://files.example/time.wasm`. It holds no password."""
    sha256: Sha256
    """SHA-256 of the file, 64 hexadecimal digits, as `sha256sum` prints it."""


class ConfigMapSource(Model):
    """A component in a ConfigMap of the same namespace, in `binaryData`, up to 1 MiB."""

    name: ObjectName
    """The ConfigMap."""
    key: ConfigMapKey
    """The key of the .wasm file in `binaryData`."""
    sha256: Sha256 | None = None
    """SHA-256 of the file. Absent: pods take what the ConfigMap holds, and a change of it is rolled out."""


class FileSource(Model):
    """A component in a file: on this machine, or on a volume that `podTemplate` gives to the pods."""

    path: Annotated[str, StringConstraints(min_length=1, max_length=1024)]
    """Absolute path of the .wasm file."""
    sha256: Sha256 | None = None
    """SHA-256 of the file. Absent: pods take what the file holds when they start."""


SourceMember = OciSource | HttpSource | ConfigMapSource | FileSource


class Source(Model):
    """Where the component comes from."""

    oci: OciSource | None = None
    """A component in an OCI registry."""
    http: HttpSource | None = None
    """A component on a web server, pinned by its hash."""
    config_map: ConfigMapSource | None = None
    """A component in a ConfigMap of the same namespace, up to 1 MiB."""
    file: FileSource | None = None
    """A component in a file on a volume that `podTemplate` gives to the pods."""

    @model_validator(mode="after")
    def check_members(self) -> Self:
        """Demand exactly one member; the API server has the same rule."""
        given = [name for name in SOURCE_MEMBERS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(ONE_SOURCE)
        return self

    @property
    def member(self) -> SourceMember:
        """The one that is given."""
        found = self.oci or self.http or self.config_map or self.file
        if found is None:
            raise ValueError(ONE_SOURCE)
        return found


class ToolAnnotations(Model):
    """Hints for clients, as MCP defines them; they promise nothing."""

    title: Annotated[str, StringConstraints(max_length=128)] | None = None
    """A name for people."""
    read_only_hint: bool | None = None
    """The tool changes nothing."""
    destructive_hint: bool | None = None
    """The tool may destroy something."""
    idempotent_hint: bool | None = None
    """Calling it twice with the same arguments does no more than calling it once."""
    open_world_hint: bool | None = None
    """The tool reaches things outside the component."""


class ToolOverride(Model):
    """What clients are told about one tool, in place of what the component says."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    """The tool this is about, as the component exports it."""
    rename: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$", max_length=64)] | None = None
    """What clients call the tool instead: letters, digits, `_` and `-`. Absent: as the component exports it."""
    title: Annotated[str, StringConstraints(max_length=128)] | None = None
    """A name for people."""
    description: Annotated[str, StringConstraints(max_length=4096)] | None = None
    """What the tool does and when to use it; models read this."""
    annotations: ToolAnnotations | None = None
    """Hints for clients."""


class Tools(Model):
    """Which exported functions become tools, and how they are described."""

    include: tuple[ToolGlob, ...] = Field(default=(), max_length=64)
    """Patterns of tool names to serve (`*` and `?`). Absent or empty: all exported functions."""
    exclude: tuple[ToolGlob, ...] = Field(default=(), max_length=64)
    """Patterns of tool names not to serve; they win over `include`."""
    overrides: tuple[ToolOverride, ...] = Field(default=(), max_length=64)
    """Better names, descriptions and hints for single tools."""


class Execution(Model):
    """How calls are run. It may be tighter than the policy's limits, never wider."""

    concurrency: Annotated[int, Field(ge=1, le=1024)] | None = None
    """How many calls one pod runs at the same time. Absent: what the policy allows."""
    queue: Annotated[int, Field(ge=0, le=4096)] = 64
    """How many more calls one pod lets wait; one more than that is refused at once."""
    timeout: Duration | None = None
    """How long one call may take before it is ended, for example `10s`. Absent: what the policy allows."""


class AdvisoriesRef(Model):
    """A key of a ConfigMap that holds known vulnerabilities."""

    name: ObjectName
    """A ConfigMap in the same namespace."""
    key: ConfigMapKey
    """The key in its `data`: OSV records as JSON, one, an array, or an answer of OSV's service."""


class Artifacts(Model):
    """Which components may be served."""

    deny_digests: tuple[Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$", max_length=71)], ...] = (
        Field(default=(), max_length=256)
    )
    """Digests that are never served: of OCI manifests, or of components themselves."""
    max_size: Quantity | None = None
    """Largest component, for example `64Mi`. Absent: what the installation allows."""
    advisories: AdvisoriesRef | None = None
    """Known vulnerabilities. A component that lists a package with one of them is not served."""


class Limits(Model):
    """What one call may use. Absent fields have built-in values."""

    memory: Quantity | None = None
    """Linear memory of one call, for example `64Mi`. Built-in: `256Mi`."""
    table_elements: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """Elements in the tables of one call. Built-in: 100000."""
    instances: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Core instances of one call. Built-in: 100."""
    tables: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Tables of one call. Built-in: 100."""
    memories: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Memories of one call. Built-in: 100."""
    stack: Quantity | None = None
    """WebAssembly stack of one call, for example `1Mi`. Built-in: `1Mi`."""
    execution_timeout: Duration | None = None
    """How long one call may take. Built-in: `30s`."""
    fuel: Annotated[int, Field(ge=1)] | None = None
    """Instructions one call may execute, roughly. Absent: not metered (metering slows a component down)."""
    concurrency: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Calls one pod runs at the same time. Built-in: 16."""
    calls_per_second: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Calls one pod begins in a second; more are refused at once. Absent: any number."""
    request_bytes: Quantity | None = None
    """Size of one request. Built-in: `4Mi`."""
    response_bytes: Quantity | None = None
    """Size of one answer. Built-in: `4Mi`."""
