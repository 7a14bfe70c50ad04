"""All that is known about a component at one moment, and the status that follows. Pure.

`host.component` replaces the value as a whole, so that a status is never half old.
"""

from __future__ import annotations

from dataclasses import dataclass

from wasmoor_runtime.artifacts.metadata import find_annotation
from wasmoor_runtime.contract.document import ComponentRef, Contract
from wasmoor_runtime.contract.status import (
    ArtifactStatus,
    ComponentInfo,
    ComponentStatus,
    MemoryStatus,
    Phase,
    Reason,
    Tool,
    Unserved,
    WorkerStatus,
)
from wasmoor_runtime.host.tools import Selection
from wasmoor_runtime.ports import Blob, Profile

_MAX_TOOLS = 1024
_MAX_UNSERVED = 64
_MAX_INTERFACES = 64
_REASONS = frozenset(Reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where a component is and what it has come to so far."""

    phase: Phase = Phase.DISCOVERING
    reason: str = Reason.LOADING
    message: str = "starting"
    contract: Contract | None = None
    blob: Blob | None = None
    profile: Profile | None = None
    selection: Selection | None = None
    tools_hash: str = ""

    @property
    def ready(self) -> bool:
        """True when the tools can be called and new calls are welcome."""
        return self.phase is Phase.RUNNING


def render_status(ref: ComponentRef, state: State, workers: WorkerStatus, memory: MemoryStatus) -> ComponentStatus:
    """Return what `/status` shows; lists are bounded, counts are exact."""
    selection = state.selection
    served = selection.tools if selection else ()
    return ComponentStatus(
        namespace=ref.namespace,
        name=ref.name,
        contract=state.contract.hash() if state.contract else "",
        phase=state.phase,
        reason=Reason(state.reason) if state.reason in _REASONS else Reason.INTERNAL,
        message=state.message,
        ready=state.ready,
        artifact=_artifact_of(state.blob),
        component=_component_of(ref, state),
        tools=tuple(Tool(name=tool.name, description=tool.description) for tool in served[:_MAX_TOOLS]),
        tool_count=len(served),
        tools_hash=state.tools_hash,
        unserved=_unserved_of(selection),
        workers=workers,
        memory=memory,
    )


def explain_running(selection: Selection, blob: Blob | None) -> str:
    """Return how many tools there are, and what in the manifest or the artifact had no effect."""
    count = len(selection.tools)
    sentence = "1 tool can be called" if count == 1 else f"{count} tools can be called"
    carried = ("the policy that the artifact carries is not applied",) if blob and blob.policy_digest else ()
    return "; ".join((sentence, *selection.notes, *carried))


def _artifact_of(blob: Blob | None) -> ArtifactStatus | None:
    if blob is None:
        return None
    return ArtifactStatus(
        digest=blob.manifest_digest,
        layer_digest=blob.digest,
        media_type=blob.media_type,
        size=blob.size,
        policy_digest=blob.policy_digest or None,
    )


def _component_of(ref: ComponentRef, state: State) -> ComponentInfo | None:
    """Return what is known of the component: its own words, or its publisher's, or the name of the resource."""
    profile, blob = state.profile, state.blob
    if profile is None or blob is None:
        return None
    return ComponentInfo(
        name=profile.name or find_annotation(blob.annotations, "title") or ref.name,
        version=profile.version or find_annotation(blob.annotations, "version"),
        language=profile.language,
        imports=profile.imports[:_MAX_INTERFACES],
        exports=profile.exports[:_MAX_INTERFACES],
    )


def _unserved_of(selection: Selection | None) -> tuple[Unserved, ...]:
    """Return functions that are no tools, and words of `spec.tools` that name none."""
    return selection.unserved[:_MAX_UNSERVED] if selection else ()
