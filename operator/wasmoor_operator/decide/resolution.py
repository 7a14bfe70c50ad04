"""When a registry has to be asked, and which digest a component runs. Pure; `observe` asks `is_due` before it asks.

A reference that names a digest is never looked up: its pods pull that digest or say why not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from wasmoor_operator import errors, settings
from wasmoor_operator.conditions import State, Type, find_condition, format_time, parse_time
from wasmoor_operator.decide.model import Component, Observed, Resolution
from wasmoor_runtime.contract.quantities import parse_duration
from wasmoor_runtime.contract.spec import OciSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a component's reference names, as far as anybody found out."""

    reference: str
    digest: str
    resolved_at: str
    """When it first named this digest: RFC 3339."""


def is_due(component: Component, last: Resolution | None, now: datetime, pace: settings.PaceSettings) -> bool:
    """Return whether the registry has to be asked (again) what the component's tag names."""
    source = component.spec.source.oci if component.spec and not component.deleting else None
    if source is None or pinned_digest(source.reference):
        return False
    asked = last is not None and (last.reference, last.generation) == (source.reference, component.generation)
    if last is not None and asked and last.fault is not None:
        return now >= last.attempted_at + timedelta(seconds=retry_delay(last.fault, source, pace))
    known = resolved_at(component, source)
    if last is not None and asked and (known is None or last.attempted_at > known):
        known = last.attempted_at
    if known is None:
        return True
    return source.refresh is not None and now >= known + timedelta(seconds=parse_duration(source.refresh))


def retry_delay(fault: errors.OperatorFault, source: OciSource, pace: settings.PaceSettings) -> float:
    """Return after how many seconds a failed question is asked again; what `refresh` promises is kept then, too."""
    if isinstance(fault, errors.Waiting):
        return fault.delay
    return min(pace.stalled, parse_duration(source.refresh)) if source.refresh else pace.stalled


def pinned_digest(reference: str) -> str:
    """Return the digest that a reference names, or an empty string."""
    _, at, digest = reference.partition("@")
    return digest if at else ""


def find_answer(observed: Observed, source: OciSource) -> Resolution | None:
    """Return what a registry said about this generation's reference since the operator started."""
    last, generation = observed.resolution, observed.component.generation
    return last if last and (last.reference, last.generation) == (source.reference, generation) else None


def find_known(observed: Observed) -> Known | None:
    """Return the digest to run: named by the reference, by the registry, or last good for the same reference."""
    component = observed.component
    if component.spec is None:
        return None
    source = component.spec.source.oci
    stored = component.status.get("artifact") or {}
    same = stored.get("reference") == source.reference
    answer = find_answer(observed, source)
    digest = pinned_digest(source.reference) or (answer.digest if answer else "")
    if not digest and same and (answer is not None or resolved_at(component, source) is not None):
        digest = stored["digest"]
    if not digest:
        return None
    since = stored["resolvedAt"] if same and stored.get("digest") == digest else format_time(observed.now)
    return Known(reference=source.reference, digest=digest, resolved_at=since)


def resolved_at(component: Component, source: OciSource) -> datetime | None:
    """Return when the status says that this generation's reference was resolved, if it was."""
    artifact = component.status.get("artifact") or {}
    if artifact.get("reference") != source.reference:
        return None
    resolved = find_condition(component.status, Type.RESOLVED)
    if resolved["status"] != State.TRUE or resolved.get("observedGeneration") != component.generation:
        return None
    return parse_time(artifact["resolvedAt"])


def seconds_until_due(observed: Observed, pace: settings.PaceSettings) -> float | None:
    """Return when the registry is to be asked next; None when it never is, as far as one can tell now."""
    component = observed.component
    if component.spec is None or pinned_digest(component.spec.source.oci.reference):
        return None
    source = component.spec.source.oci
    answer = find_answer(observed, source)
    if answer is not None and answer.fault is not None:
        due = answer.attempted_at + timedelta(seconds=retry_delay(answer.fault, source, pace))
    elif source.refresh is not None:
        asked = answer.attempted_at if answer else resolved_at(component, source)
        due = (asked or observed.now) + timedelta(seconds=parse_duration(source.refresh))
    else:
        return None
    return max((due - observed.now).total_seconds(), 0.0)
