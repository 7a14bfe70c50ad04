"""The decision about one ComponentPolicy: it has no children, only a status. Pure; called by the controller."""

from __future__ import annotations

from typing import Any

from wasmoor_operator.conditions import Condition, State, Type, merge_conditions
from wasmoor_operator.decide import transitions
from wasmoor_operator.decide.model import Component, ObservedPolicy, PolicyPlan
from wasmoor_operator.reasons import Reason
from wasmoor_runtime import errors as runtime_errors
from wasmoor_runtime.policy import limits, rules, selection


def decide_policy(observed: ObservedPolicy) -> PolicyPlan:
    """Return the policy's new status, if it changed, and what to tell."""
    policy = observed.policy
    ready = _judge(observed)
    stored = policy.status.get("conditions") or ()
    status: dict[str, Any] = {
        "observedGeneration": policy.generation,
        "boundComponents": sum(_is_bound(component, observed) for component in observed.components),
        "conditions": merge_conditions((ready,), stored, policy.generation, observed.now),
    }
    if policy.spec is not None:
        status["hash"] = selection.hash_rules(policy.spec.limits, policy.spec.artifacts)
    events = transitions.find_events((ready,), policy.status, {**status, "restarts": {"count": 0}})
    return PolicyPlan(status=None if status == policy.status else status, events=events)


def _judge(observed: ObservedPolicy) -> Condition:
    """Return whether the policy can be applied."""
    policy = observed.policy
    if policy.spec is None:
        return _ready(Reason.POLICY_INVALID, policy.problem)
    try:
        limits.policy_limits(policy.spec.limits)
        rules.check_rules(policy.spec.artifacts)
    except runtime_errors.Stalled as fault:
        return _ready(Reason(fault.reason), fault.message)
    defaults = sorted(each.name for each in observed.siblings if each.spec is not None and each.spec.default)
    if policy.spec.default and len(defaults) > 1:
        return _ready(Reason.POLICY_CONFLICT, selection.describe_conflict(defaults))
    return _ready(Reason.ACCEPTED, "the policy can be applied", State.TRUE)


def _is_bound(component: Component, observed: ObservedPolicy) -> bool:
    """Return whether this policy is the one that applies to a component."""
    if component.spec is None or component.deleting:
        return False
    if component.spec.policy_ref is not None:
        return component.spec.policy_ref.name == observed.policy.name
    defaults = [each.name for each in observed.siblings if each.spec is not None and each.spec.default]
    return defaults == [observed.policy.name]


def _ready(reason: Reason, message: str, state: State = State.FALSE) -> Condition:
    """Return `Ready`."""
    return Condition(type=Type.READY, state=state, reason=reason, message=message)
