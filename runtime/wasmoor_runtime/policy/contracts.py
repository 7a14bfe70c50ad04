"""The contract that follows from a manifest, a digest and a policy: what the operator mounts and `serve -f` uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wasmoor_runtime import errors
from wasmoor_runtime.artifacts import mirrors, references
from wasmoor_runtime.contract.document import MIB, ComponentRef, Contract, PinnedOciSource
from wasmoor_runtime.contract.spec import Execution, OciSource, Tools
from wasmoor_runtime.policy import limits
from wasmoor_runtime.policy.selection import Selection


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
    source: OciSource,
    digest: str,
    policy: Selection,
    tools: Tools | None = None,
    execution: Execution | None = None,
    pulls: PullSettings | None = None,
) -> Contract:
    """Return everything a pod needs; raises `Stalled` (ReferenceInvalid, ExceedsPolicy, PolicyInvalid)."""
    pulls = pulls or PullSettings()
    pinned = PinnedOciSource(
        reference=source.reference,
        digest=digest,
        insecure=source.insecure,
        mirror=_find_mirror(source.reference, pulls.mirrors),
        max_bytes=pulls.max_bytes,
    )
    return Contract(
        component=component,
        source=pinned,
        limits=limits.call_limits(policy.limits, execution or Execution()),
        policy=policy.applied,
        tools=tools or Tools(),
    )


def _find_mirror(reference: str, known: Mapping[str, str]) -> str | None:
    """Return the address to pull from instead of the reference's registry, if there is one."""
    try:
        return mirrors.find_mirror(references.parse_reference(reference), known)
    except ValueError as error:
        raise errors.Stalled("ReferenceInvalid", str(error)) from None
