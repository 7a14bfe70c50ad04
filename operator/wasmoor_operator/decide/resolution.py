"""What has to be asked about a source and when, and which version of it a component runs. Pure.

A tag is asked for at its registry, and a ConfigMap's version at the API server; its bytes are never read here. What is
pinned by a digest or a hash is not asked for: its pods fetch exactly that, or say why not. Nobody but the pods can see
a file. `observe` asks `is_due` before it asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from wasmoor_operator import errors, settings
from wasmoor_operator.conditions import State, Type, find_condition, format_time, parse_time
from wasmoor_operator.decide.model import Component, Manifest, Observed, Resolution
from wasmoor_runtime.artifacts import addresses
from wasmoor_runtime.contract.document import PinnedSource
from wasmoor_runtime.contract.quantities import parse_duration
from wasmoor_runtime.contract.spec import ConfigMapSource, FileSource, HttpSource, OciSource, SourceMember

# What can be asked what it names now.
Asked = OciSource | ConfigMapSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a component's source names, as far as anybody found out."""

    reference: str
    """As `name_source` names the source."""
    digest: str
    """Of the OCI manifest, or of the file where the spec pins it; empty when only pods can know."""
    version: str = ""
    """Of a ConfigMap that the spec does not pin."""
    resolved_at: str
    """When it first named this: RFC 3339."""


def find_source(component: Component) -> SourceMember | None:
    """Return where the component comes from; None when its spec is not understood."""
    return component.spec.source.member if component.spec else None


def name_source(source: SourceMember) -> str:
    """Return what people call a source; another source has another name."""
    if isinstance(source, OciSource):
        return source.reference
    if isinstance(source, HttpSource):
        return addresses.show_url(source.url)
    if isinstance(source, FileSource):
        return source.path
    return f"configmap/{source.name}"


def find_asked(component: Component) -> Asked | None:
    """Return the source if somebody can be asked what it names; None for one that is pinned, or a file."""
    source = None if component.deleting else find_source(component)
    if not isinstance(source, OciSource | ConfigMapSource) or pinned_digest(source):
        return None
    return source


def pinned_digest(source: SourceMember) -> str:
    """Return the digest that the spec itself names, or an empty string."""
    if isinstance(source, OciSource):
        _, at, digest = source.reference.partition("@")
        return digest if at else ""
    return f"sha256:{source.sha256}" if source.sha256 else ""


def find_interval(source: SourceMember, pace: settings.PaceSettings) -> float | None:
    """Return after how many seconds an answer is asked for again; None when once is enough."""
    if isinstance(source, ConfigMapSource):
        return pace.config_map
    return parse_duration(source.refresh) if isinstance(source, OciSource) and source.refresh else None


def is_due(component: Component, last: Resolution | None, now: datetime, pace: settings.PaceSettings) -> bool:
    """Return whether it has to be asked (again) what the component's source names."""
    source = find_asked(component)
    if source is None:
        return False
    asked = last is not None and (last.reference, last.generation) == (name_source(source), component.generation)
    if last is not None and asked and last.fault is not None:
        return now >= last.attempted_at + timedelta(seconds=retry_delay(last.fault, source, pace))
    known = resolved_at(component, source)
    if last is not None and asked and (known is None or last.attempted_at > known):
        known = last.attempted_at
    if known is None:
        return True
    interval = find_interval(source, pace)
    return interval is not None and now >= known + timedelta(seconds=interval)


def retry_delay(fault: errors.OperatorFault, source: SourceMember, pace: settings.PaceSettings) -> float:
    """Return after how many seconds a failed question is asked again; what `refresh` promises is kept then, too."""
    if isinstance(fault, errors.Waiting):
        return fault.delay
    interval = find_interval(source, pace)
    return pace.stalled if interval is None else min(pace.stalled, interval)


def find_answer(observed: Observed, source: SourceMember) -> Resolution | None:
    """Return what came of asking about this generation's source since the operator started."""
    last, generation = observed.resolution, observed.component.generation
    return last if last and (last.reference, last.generation) == (name_source(source), generation) else None


def find_known(observed: Observed) -> Known | None:
    """Return the version to run: named by the spec, by whoever was asked, or last good for the same source."""
    component = observed.component
    source = find_source(component)
    if source is None:
        return None
    name = name_source(source)
    stored = component.status.get("artifact") or {}
    same = stored.get("reference") == name
    answer = find_answer(observed, source)
    digest = pinned_digest(source) or (answer.digest if answer else "")
    version = "" if digest or answer is None else answer.version
    if find_asked(component) is not None and not (digest or version):
        if not same or (answer is None and resolved_at(component, source) is None):
            return None
        version = stored.get("version", "")
        # What pods found out about a ConfigMap is theirs: the contract names its version.
        digest = "" if version else stored.get("digest", "")
        if not (digest or version):
            return None
    found = Known(reference=name, digest=digest, version=version, resolved_at=format_time(observed.now))
    if same and (stored.get("digest") == digest if digest else stored.get("version", "") == version):
        return Known(reference=name, digest=digest, version=version, resolved_at=stored["resolvedAt"])
    return found


def is_stored(stored: Manifest, source: PinnedSource) -> bool:
    """Return whether the status speaks of the version that a contract names."""
    if source.digest is not None:
        return bool(stored.get("digest") == source.digest)
    return bool(stored.get("version", "") == getattr(source, "version", ""))


def resolved_at(component: Component, source: SourceMember) -> datetime | None:
    """Return when the status says that this generation's source was resolved, if it was."""
    artifact = component.status.get("artifact") or {}
    if artifact.get("reference") != name_source(source):
        return None
    resolved = find_condition(component.status, Type.RESOLVED)
    if resolved["status"] != State.TRUE or resolved.get("observedGeneration") != component.generation:
        return None
    return parse_time(artifact["resolvedAt"])


def seconds_until_due(observed: Observed, pace: settings.PaceSettings) -> float | None:
    """Return when it is to be asked next; None when it never is, as far as one can tell now."""
    source = find_asked(observed.component)
    if source is None:
        return None
    answer = find_answer(observed, source)
    interval = find_interval(source, pace)
    if answer is not None and answer.fault is not None:
        due = answer.attempted_at + timedelta(seconds=retry_delay(answer.fault, source, pace))
    elif interval is not None:
        asked = answer.attempted_at if answer else resolved_at(observed.component, source)
        due = (asked or observed.now) + timedelta(seconds=interval)
    else:
        return None
    return max((due - observed.now).total_seconds(), 0.0)
