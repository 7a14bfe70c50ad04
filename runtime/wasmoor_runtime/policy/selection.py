"""Which policy applies to a component.

Threat: a component that gets a wider policy than its owner meant it to. So a policy that is named and not there is an
error and never falls back to another one, and of two default policies neither is taken: guessing could pick the wider.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from wasmoor_runtime import errors
from wasmoor_runtime.contract.document import AppliedPolicy
from wasmoor_runtime.contract.spec import Artifacts, Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPolicy:
    """A ComponentPolicy of the component's namespace."""

    name: str
    default: bool = False
    limits: Limits = field(default_factory=Limits)
    artifacts: Artifacts = field(default_factory=Artifacts)
    problem: str = ""
    """Why its spec cannot be understood; empty when it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The policy that applies: where it came from and what it says."""

    applied: AppliedPolicy = field(default_factory=AppliedPolicy)
    limits: Limits = field(default_factory=Limits)
    artifacts: Artifacts = field(default_factory=Artifacts)


def select_policy(policy_ref: str | None, policies: Iterable[NamedPolicy]) -> Selection:
    """Return the policy that applies: the named one, the namespace's default, or the built-in deny-all.

    Raises `Stalled` with PolicyNotFound, PolicyConflict or PolicyInvalid.
    """
    known = sorted(policies, key=lambda policy: policy.name)
    if policy_ref is not None:
        return _select(_find(policy_ref, known), "Component")
    defaults = [policy for policy in known if policy.default]
    if len(defaults) > 1:
        raise errors.Stalled("PolicyConflict", describe_conflict(policy.name for policy in defaults))
    return _select(defaults[0], "Namespace") if defaults else Selection()


def describe_conflict(names: Iterable[str]) -> str:
    """Return the sentence for several default policies in one namespace."""
    listed = ", ".join(names)
    return f"the policies {listed} all say default: true; leave it in one of them, or name one in spec.policyRef"


def hash_rules(*rules: Limits | Artifacts) -> str:
    """Return `sha256:…` over what a policy says, so that pods roll over when, and only when, that changes."""
    said = [part.model_dump(mode="json", by_alias=True, exclude_defaults=True) for part in rules]
    text = json.dumps(said, sort_keys=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _find(name: str, policies: list[NamedPolicy]) -> NamedPolicy:
    """Return the policy of that name; raises `Stalled` when there is none."""
    for policy in policies:
        if policy.name == name:
            return policy
    raise errors.Stalled(
        "PolicyNotFound",
        f"spec.policyRef names the ComponentPolicy {name}, which is not in this namespace; create it or name another",
    )


def _select(policy: NamedPolicy, source: str) -> Selection:
    """Return the selection of one policy; raises `Stalled` when it cannot be understood."""
    if policy.problem:
        raise errors.Stalled("PolicyInvalid", f"the ComponentPolicy {policy.name} cannot be used: {policy.problem}")
    applied = AppliedPolicy.model_validate(
        {"name": policy.name, "source": source, "hash": hash_rules(policy.limits, policy.artifacts)},
    )
    return Selection(applied=applied, limits=policy.limits, artifacts=policy.artifacts)
