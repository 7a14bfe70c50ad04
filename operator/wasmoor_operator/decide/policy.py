"""The decision about one ComponentPolicy: it has no children, only a status."""

from __future__ import annotations

from wasmoor_operator.decide.model import ObservedPolicy, PolicyPlan


def decide_policy(observed: ObservedPolicy) -> PolicyPlan:
    """Return the policy's new status, if it changed, and what to tell."""
    raise NotImplementedError
