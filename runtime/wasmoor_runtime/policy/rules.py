"""Which artifacts a policy lets be served: their size and their digests. Pure; `advisories` is about their packages.

Threat: a component that is known to be bad. The operator checks what it knows before it starts a pod, and the pod
checks everything before it serves: only the pod sees the component itself.
"""

from __future__ import annotations

from wasmoor_runtime import errors
from wasmoor_runtime.contract.document import ArtifactRules
from wasmoor_runtime.contract.quantities import parse_bytes
from wasmoor_runtime.contract.spec import Artifacts


def render_rules(artifacts: Artifacts) -> ArtifactRules:
    """Return what the pod is to check; the same rules in another order are the same."""
    return ArtifactRules(deny_digests=tuple(sorted(set(artifacts.deny_digests))), advisories=artifacts.advisories)


def check_rules(artifacts: Artifacts) -> None:
    """Raise `Stalled` (PolicyInvalid) when the policy says what cannot be meant."""
    find_largest(artifacts, 0)


def find_largest(artifacts: Artifacts, otherwise: int) -> int:
    """Return how many bytes a component may have: `otherwise` at most where that is above zero."""
    if artifacts.max_size is None:
        return otherwise
    try:
        largest = parse_bytes(artifacts.max_size)
    except ValueError as error:
        raise errors.Stalled("PolicyInvalid", f"spec.artifacts.maxSize: {error}") from None
    if largest <= 0:
        text = f"spec.artifacts.maxSize is {artifacts.max_size}: write a value above zero"
        raise errors.Stalled("PolicyInvalid", text)
    return min(largest, otherwise) if otherwise > 0 else largest


def check_digests(rules: ArtifactRules, *digests: str | None) -> None:
    """Raise `Stalled` (DigestDenied) when the policy denies one of an artifact's digests."""
    for digest in digests:
        if digest in rules.deny_digests:
            raise errors.Stalled(
                "DigestDenied",
                f"the policy denies {digest} in spec.artifacts.denyDigests: publish another version and name that",
            )
