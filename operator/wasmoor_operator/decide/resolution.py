"""When a registry has to be asked, and which digest a component runs. Pure; `observe` asks `is_due` before it asks.

A reference that names a digest is never looked up: its pods pull that digest or say why not.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from wasmoor_operator import errors, settings
from wasmoor_operator.decide.model import Component, Resolution
from wasmoor_runtime.contract.quantities import parse_duration
from wasmoor_runtime.contract.spec import OciSource


def is_due(component: Component, last: Resolution | None, now: datetime, pace: settings.PaceSettings) -> bool:
    """Return whether the registry has to be asked (again) what the component's tag names."""
    source = component.spec.source.oci if component.spec and not component.deleting else None
    if source is None or pinned_digest(source.reference):
        return False
    asked = last is not None and (last.reference, last.generation) == (source.reference, component.generation)
    if last is not None and asked and last.fault is not None:
        return now >= last.attempted_at + timedelta(seconds=retry_delay(last.fault, pace))
    known = resolved_at(component, source)
    if last is not None and asked and (known is None or last.attempted_at > known):
        known = last.attempted_at
    if known is None:
        return True
    return source.refresh is not None and now >= known + timedelta(seconds=parse_duration(source.refresh))


def retry_delay(fault: errors.OperatorFault, pace: settings.PaceSettings) -> float:
    """Return after how many seconds a failed question is asked again."""
    return fault.delay if isinstance(fault, errors.Waiting) else pace.stalled


def pinned_digest(reference: str) -> str:
    """Return the digest that a reference names, or an empty string."""
    _, at, digest = reference.partition("@")
    return digest if at else ""


def resolved_at(component: Component, source: OciSource) -> datetime | None:
    """Return when the status says that this generation's reference was resolved, if it was."""
    artifact = component.status.get("artifact") or {}
    if artifact.get("reference") != source.reference:
        return None
    resolved = next((c for c in component.status.get("conditions") or () if c["type"] == "Resolved"), None)
    if not resolved or resolved["status"] != "True" or resolved.get("observedGeneration") != component.generation:
        return None
    return datetime.fromisoformat(artifact["resolvedAt"])
