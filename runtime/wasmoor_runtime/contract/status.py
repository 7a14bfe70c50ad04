"""What a pod says about itself on `GET :9090/status`; the operator copies it into conditions, people read it with curl.

Pure. `Reason` here is the pod's share of the operator's reasons; a test keeps them equal.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from wasmoor_runtime.contract.model import Model


class Phase(StrEnum):
    """How far the pod is. Order is the order of the lifecycle; `Failed` needs somebody to act."""

    DISCOVERING = "Discovering"
    LOADING = "Loading"
    REGISTERING = "Registering"
    RUNNING = "Running"
    STOPPING = "Stopping"
    TERMINATED = "Terminated"
    FAILED = "Failed"


class Reason(StrEnum):
    """Why the pod is where it is."""

    LOADING = "Loading"  # work in hand
    LOADED = "Loaded"  # pulled, checked and compiled
    REGISTERED = "Registered"  # the tools are known and can be listed
    RUNNING = "Running"  # the tools can be called
    TERMINATED = "Terminated"  # stopped on request
    REFERENCE_INVALID = "ReferenceInvalid"  # no OCI reference, or one that names neither tag nor digest
    POLICY_NOT_FOUND = "PolicyNotFound"  # without an operator: policyRef names a policy that is not there
    POLICY_INVALID = "PolicyInvalid"  # without an operator: the policy holds what cannot be understood
    POLICY_CONFLICT = "PolicyConflict"  # without an operator: two default policies in one namespace
    EXCEEDS_POLICY = "ExceedsPolicy"  # without an operator: the component asks for more than its policy allows
    ARTIFACT_NOT_FOUND = "ArtifactNotFound"  # the registry does not have this digest
    REGISTRY_UNAVAILABLE = "RegistryUnavailable"  # no answer, or an answer that says: later
    SOURCE_UNAVAILABLE = "SourceUnavailable"  # the same of a web server
    CREDENTIALS_MISSING = "CredentialsMissing"  # the registry wants credentials and there are none
    CREDENTIALS_FORBIDDEN = "CredentialsForbidden"  # the registry knows who asks, and refuses
    PULL_FAILED = "PullFailed"  # the transfer broke, or the disk is full
    DIGEST_MISMATCH = "DigestMismatch"  # the bytes are not what the digest names
    ARTIFACT_TOO_LARGE = "ArtifactTooLarge"  # more bytes than allowed
    DIGEST_DENIED = "DigestDenied"  # the policy denies this very artifact
    KNOWN_VULNERABILITY = "KnownVulnerability"  # it lists a package that an advisory of the policy is about
    PACKAGES_UNREADABLE = "PackagesUnreadable"  # it cannot be checked against the advisories of the policy
    NOT_A_COMPONENT = "NotAComponent"  # something else than a WebAssembly component
    COMPILE_FAILED = "CompileFailed"  # the component is damaged or uses what this engine cannot
    UNSUPPORTED_INTERFACE = "UnsupportedInterface"  # it imports what nobody provides here
    NO_TOOLS = "NoTools"  # nothing it exports can be served
    TOOL_NAME_CONFLICT = "ToolNameConflict"  # two functions would have the same tool name
    CRASHED = "Crashed"  # the processes that run the component died
    INTERNAL = "Internal"  # a defect of ours; the message says what to report


class Tool(Model):
    """One tool, as the pod serves it."""

    name: str
    description: str = ""


class Unserved(Model):
    """An exported function that is no tool, and why."""

    name: str
    reason: str


class ArtifactStatus(Model):
    """What was pulled."""

    digest: str
    layer_digest: str
    media_type: str
    size: int
    """Bytes of the component."""
    policy_digest: str | None = None
    """Digest of the policy that the artifact carries; it is not applied."""


class ComponentInfo(Model):
    """What the component is by its own words, or else by those of whoever published and named it."""

    name: str
    version: str = ""
    language: str = ""
    imports: tuple[str, ...] = Field(default=(), max_length=64)
    """WIT names of what it imports, the first 64."""
    exports: tuple[str, ...] = Field(default=(), max_length=64)
    """WIT names of what it exports, the first 64."""


class WorkerStatus(Model):
    """The processes that run calls."""

    alive: int = 0
    busy: int = 0
    queued: int = 0
    replaced: int = 0
    """Workers ended at a deadline or by a client that went away, and replaced."""
    crashed: int = 0
    """Workers that died by themselves, and were replaced."""


class MemoryStatus(Model):
    """What calls use of memory, over all processes. Linear memories, tables and copies of what is passed."""

    current_bytes: int = 0
    """What the calls that run now hold together."""
    peak_bytes: int = 0
    """The most that one call has held since the component started."""
    active_instances: int = 0
    """Instances of the component that run a call now."""


class ComponentStatus(Model):
    """One component in this process; a pod has one, `wasmoor serve` has several."""

    namespace: str
    name: str
    contract: str
    """Hash of the contract that is served."""
    phase: Phase
    reason: Reason
    message: str
    ready: bool
    """True when the tools can be called."""
    artifact: ArtifactStatus | None = None
    component: ComponentInfo | None = None
    """Known once it is loaded."""
    tools: tuple[Tool, ...] = Field(default=(), max_length=1024)
    tool_count: int = 0
    tools_hash: str = ""
    """`sha256:…` over names, descriptions and schemas; changes when a schema does."""
    unserved: tuple[Unserved, ...] = Field(default=(), max_length=64)
    workers: WorkerStatus = WorkerStatus()
    memory: MemoryStatus = MemoryStatus()


class PodStatus(Model):
    """The answer of `/status`."""

    version: Literal[1] = 1
    runtime: str
    """Version of the runtime."""
    components: tuple[ComponentStatus, ...]
