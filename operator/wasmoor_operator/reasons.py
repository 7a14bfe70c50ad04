"""Why a condition is what it is: one closed list for conditions, events and faults.

A reason names a cause, so that a person can look it up and a pipeline can branch on it. Every pod reason
(`wasmoor_runtime.contract.status.Reason`) is one of these. Knows nothing; everything may import it.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """The reasons of conditions, events and faults."""

    PENDING = "Pending"  # seen, nothing found out yet
    AS_EXPECTED = "AsExpected"  # nothing abnormal: what `Reconciling` and `Stalled` say while False

    RESOLVED = "Resolved"  # the reference names this digest
    SPEC_INVALID = "SpecInvalid"  # the spec holds what this version of the operator does not understand
    REFERENCE_INVALID = "ReferenceInvalid"  # no OCI reference, or one that names neither tag nor digest
    ARTIFACT_NOT_FOUND = "ArtifactNotFound"  # the registry has no such repository, tag or digest
    REGISTRY_UNAVAILABLE = "RegistryUnavailable"  # no answer, or an answer that says: later
    SOURCE_UNAVAILABLE = "SourceUnavailable"  # the same of a web server, or of the API server about a ConfigMap
    CREDENTIALS_MISSING = "CredentialsMissing"  # the registry wants credentials and there are none
    CREDENTIALS_FORBIDDEN = "CredentialsForbidden"  # the registry refuses whoever asks
    DIGEST_DENIED = "DigestDenied"  # the policy denies this very artifact
    KNOWN_VULNERABILITY = "KnownVulnerability"  # it lists a package that an advisory of the policy is about
    PACKAGES_UNREADABLE = "PackagesUnreadable"  # it cannot be checked against the advisories of the policy
    NOT_A_COMPONENT = "NotAComponent"  # something else than a WebAssembly component
    ARTIFACT_TOO_LARGE = "ArtifactTooLarge"  # more bytes than allowed
    DIGEST_MISMATCH = "DigestMismatch"  # the bytes are not what the digest names

    POLICY_APPLIED = "PolicyApplied"  # a policy was found and its limits are in force
    POLICY_NOT_FOUND = "PolicyNotFound"  # policyRef names a ComponentPolicy that is not there
    POLICY_INVALID = "PolicyInvalid"  # the ComponentPolicy holds what cannot be understood
    POLICY_CONFLICT = "PolicyConflict"  # two default policies in one namespace
    EXCEEDS_POLICY = "ExceedsPolicy"  # the component asks for more than its policy allows

    LOADING = "Loading"  # pods pull and compile
    LOADED = "Loaded"  # pulled, checked and compiled by every ready pod
    PULL_FAILED = "PullFailed"  # the transfer to the pod broke, or its disk is full
    COMPILE_FAILED = "CompileFailed"  # the component is damaged or uses what this engine cannot
    UNSUPPORTED_INTERFACE = "UnsupportedInterface"  # it imports what nobody provides here
    POD_UNREACHABLE = "PodUnreachable"  # a pod cannot be asked; the last good state stands

    REGISTERED = "Registered"  # an MCP tools/list answered with these tools
    NO_TOOLS = "NoTools"  # nothing it exports can be served
    TOOL_NAME_CONFLICT = "ToolNameConflict"  # two functions would have the same tool name
    HANDSHAKE_FAILED = "HandshakeFailed"  # a ready pod did not answer tools/list

    RUNNING = "Running"  # the tools can be called
    DEGRADED = "Degraded"  # the tools can be called, but not everything is as the spec says
    PODS_NOT_READY = "PodsNotReady"  # no pod can be called
    SUSPENDED = "Suspended"  # spec.suspend is true
    TERMINATED = "Terminated"  # the component is being deleted, or a pod stopped on request
    OUT_OF_MEMORY = "OutOfMemory"  # a container was killed at its memory limit
    CRASHED = "Crashed"  # a process that serves the component died
    QUOTA_EXCEEDED = "QuotaExceeded"  # a ResourceQuota of the namespace refuses a child or a pod
    POD_REJECTED = "PodRejected"  # admission or the scheduler's limits refuse the pod
    NAME_TAKEN = "NameTaken"  # an object of a child's name exists and is not ours
    FORBIDDEN = "Forbidden"  # the operator's own rights do not reach
    INTERNAL = "Internal"  # a defect of ours; the message says what to report

    ACCEPTED = "Accepted"  # a ComponentPolicy is valid and may be used
