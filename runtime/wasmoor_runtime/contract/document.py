"""The contract: all that passes from operator to pod, one JSON document in one immutable ConfigMap.

Numbers are plain here (bytes, seconds), references are pinned, the policy is already applied: the pod decides nothing
that the operator has decided. `wasmoor serve -f` builds the same document. Two equal contracts have equal hashes, and a
rollout happens when, and only when, the hash changes; so nothing stands here that does not change how a pod serves.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag

from wasmoor_runtime.contract.model import Model
from wasmoor_runtime.contract.spec import AdvisoriesRef, Tools

VERSION: Literal[1] = 1
MIB = 1024 * 1024

Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


class ComponentRef(Model):
    """Which WasmComponent this is."""

    namespace: str
    name: str


class PinnedOciSource(Model):
    """A manifest in a registry, by digest."""

    type: Literal["oci"] = "oci"
    reference: str
    """As written in the manifest, for people; the pod pulls `digest` from the same repository."""
    digest: Digest
    """Digest of the OCI manifest."""
    insecure: bool = False
    """Plain HTTP."""
    mirror: str | None = None
    """`http(s)://host[:port]` to pull from instead of the reference's registry."""
    max_bytes: int = Field(default=64 * MIB, gt=0)
    """Largest component that is pulled."""

    @property
    def subject(self) -> str:
        """What it is called in messages."""
        return self.reference


class PinnedHttpSource(Model):
    """A file on a web server, by its hash."""

    type: Literal["http"] = "http"
    url: str
    digest: Digest
    """Digest of the file."""
    max_bytes: int = Field(default=64 * MIB, gt=0)
    """Largest component that is fetched."""

    @property
    def subject(self) -> str:
        """What it is called in messages: without a query, which may hold a signature."""
        return self.url.partition("?")[0]


class PinnedConfigMapSource(Model):
    """A key of a ConfigMap, mounted into the pod."""

    type: Literal["configMap"] = "configMap"
    name: str
    key: str
    path: str
    """Where the key is mounted."""
    digest: Digest | None = None
    """Digest of the component, where the manifest names it."""
    version: str = ""
    """Which version of the ConfigMap is to be served: changes with it, so that a change is rolled out."""
    max_bytes: int = Field(default=64 * MIB, gt=0)
    """Largest component that is read."""

    @property
    def subject(self) -> str:
        """What it is called in messages."""
        return f"the key {self.key} of the ConfigMap {self.name}"


class PinnedFileSource(Model):
    """A file that is there when the pod starts."""

    type: Literal["file"] = "file"
    path: str
    digest: Digest | None = None
    """Digest of the component, where the manifest names it."""
    max_bytes: int = Field(default=64 * MIB, gt=0)
    """Largest component that is read."""

    @property
    def subject(self) -> str:
        """What it is called in messages."""
        return self.path


def _find_type(value: Any) -> str:
    """Return which source a document holds; contracts of before there were several named none."""
    return str(value.get("type", "oci") if isinstance(value, dict) else getattr(value, "type", ""))


PinnedSource = Annotated[
    Annotated[PinnedOciSource, Tag("oci")]
    | Annotated[PinnedHttpSource, Tag("http")]
    | Annotated[PinnedConfigMapSource, Tag("configMap")]
    | Annotated[PinnedFileSource, Tag("file")],
    Discriminator(_find_type),
]


class CallLimits(Model):
    """What one call may use, all of it decided."""

    memory_bytes: int = Field(default=256 * MIB, gt=0)
    table_elements: int = Field(default=100_000, gt=0)
    instances: int = Field(default=100, gt=0)
    tables: int = Field(default=100, gt=0)
    memories: int = Field(default=100, gt=0)
    stack_bytes: int = Field(default=MIB, gt=0)
    timeout_seconds: float = Field(default=30.0, gt=0)
    fuel: int | None = Field(default=None, gt=0)
    concurrency: int = Field(default=16, gt=0)
    """Calls that run at the same time in one pod."""
    queue: int = Field(default=64, ge=0)
    """Calls that may wait beyond those."""
    calls_per_second: int | None = Field(default=None, gt=0)
    """Calls that one pod begins in a second, none for any number."""
    request_bytes: int = Field(default=4 * MIB, gt=0)
    response_bytes: int = Field(default=4 * MIB, gt=0)


class ArtifactRules(Model):
    """What a component must be to be served; checked by the pod, before it serves anything."""

    deny_digests: tuple[Digest, ...] = ()
    """Of manifests and of components, sorted."""
    advisories: AdvisoriesRef | None = None
    """Known vulnerabilities, mounted beside the contract."""


class AppliedPolicy(Model):
    """Where the limits came from."""

    name: str | None = None
    """The ComponentPolicy; none for the built-in deny-all."""
    source: Literal["Component", "Namespace", "Default"] = "Default"
    hash: str = ""
    """Hash of the policy's spec; empty for the built-in one."""


class Timing(Model):
    """How long starting and stopping may take, in seconds."""

    start_timeout_seconds: float = Field(default=300.0, gt=0)
    """One attempt to pull and compile."""
    stop_timeout_seconds: float = Field(default=30.0, gt=0)
    """Draining: calls still running after this are ended."""


class Contract(Model):
    """Everything a pod needs to know to serve one component."""

    version: Literal[1] = VERSION
    component: ComponentRef
    source: PinnedSource
    limits: CallLimits = CallLimits()
    policy: AppliedPolicy = AppliedPolicy()
    artifacts: ArtifactRules = ArtifactRules()
    tools: Tools = Tools()
    timing: Timing = Timing()

    def to_json(self) -> str:
        """Return the canonical text: sorted keys, no spaces, camelCase."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True, separators=(",", ":"))

    def hash(self) -> str:
        """Return the hash that names this contract: 16 hex digits of SHA-256 over the canonical text."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]
