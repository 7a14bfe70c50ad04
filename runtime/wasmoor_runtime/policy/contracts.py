"""The contract that follows from a manifest, a digest and a policy: what the operator mounts and `serve -f` uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wasmoor_runtime import errors
from wasmoor_runtime.artifacts import addresses, mirrors, references
from wasmoor_runtime.contract.document import (
    MIB,
    ComponentRef,
    Contract,
    PinnedConfigMapSource,
    PinnedFileSource,
    PinnedHttpSource,
    PinnedOciSource,
    PinnedSource,
)
from wasmoor_runtime.contract.spec import (
    ConfigMapSource,
    Execution,
    FileSource,
    HttpSource,
    OciSource,
    SourceMember,
    Tools,
)
from wasmoor_runtime.policy import limits, rules
from wasmoor_runtime.policy.selection import Selection

# Where a pod finds the ConfigMap that its component is in.
CONFIG_MAP_DIRECTORY = "/etc/wasmoor-component"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullSettings:
    """What an installation decides about pulling."""

    mirrors: Mapping[str, str] = field(default_factory=dict)
    """`registry host[:port]` to the `http(s)://host[:port]` that is asked instead."""
    max_bytes: int = 64 * MIB
    """Largest component that is pulled."""


def render_contract(
    *,
    component: ComponentRef,
    source: PinnedSource,
    policy: Selection,
    tools: Tools | None = None,
    execution: Execution | None = None,
) -> Contract:
    """Return everything a pod needs; `pin_source` gives the source. Raises `Stalled` (ExceedsPolicy, PolicyInvalid)."""
    return Contract(
        component=component,
        source=_tighten(source, policy),
        limits=limits.call_limits(policy.limits, execution or Execution()),
        policy=policy.applied,
        artifacts=rules.render_rules(policy.artifacts),
        tools=tools or Tools(),
    )


def pin_source(
    source: SourceMember, digest: str | None, *, version: str = "", pulls: PullSettings | None = None
) -> PinnedSource:
    """Return exactly what pods are to fetch.

    `digest` is that of an OCI manifest, or of the file where the manifest names it; `version` tells one state of a
    ConfigMap from the next. Raises `Stalled` (ReferenceInvalid).
    """
    try:
        check_source(source)
    except ValueError as error:
        raise errors.Stalled("ReferenceInvalid", str(error)) from None
    pulls = pulls or PullSettings()
    largest = pulls.max_bytes
    if isinstance(source, HttpSource):
        return PinnedHttpSource(url=source.url, digest=f"sha256:{source.sha256}", max_bytes=largest)
    if isinstance(source, FileSource):
        return PinnedFileSource(path=source.path, digest=digest, max_bytes=largest)
    if isinstance(source, ConfigMapSource):
        path = f"{CONFIG_MAP_DIRECTORY}/{source.key}"
        return PinnedConfigMapSource(
            name=source.name, key=source.key, path=path, digest=digest, version=version, max_bytes=largest
        )
    if digest is None:
        raise ValueError("an OCI source is pinned by a digest")
    return PinnedOciSource(
        reference=source.reference,
        digest=digest,
        insecure=source.insecure,
        mirror=mirrors.find_mirror(references.parse_reference(source.reference), pulls.mirrors),
        max_bytes=largest,
    )


def check_source(source: SourceMember) -> None:
    """Raise `ValueError`, with what to write instead, for what is no OCI reference, no URL or no absolute path."""
    if isinstance(source, OciSource):
        references.parse_reference(source.reference)
    elif isinstance(source, HttpSource):
        addresses.check_url(source.url)
    elif isinstance(source, FileSource) and not source.path.startswith("/"):
        raise ValueError(f"{source.path!r} is no absolute path: write for example /components/time.wasm")


def file_digest(source: SourceMember) -> str | None:
    """Return the digest that the manifest itself gives of the component's file, if it does."""
    if isinstance(source, OciSource) or source.sha256 is None:
        return None
    return f"sha256:{source.sha256}"


def _tighten(source: PinnedSource, policy: Selection) -> PinnedSource:
    """Return the source with the policy's own bound on the size, where that is smaller."""
    return source.model_copy(update={"max_bytes": rules.find_largest(policy.artifacts, source.max_bytes)})
