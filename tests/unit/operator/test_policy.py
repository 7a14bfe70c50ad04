"""The status of a ComponentPolicy."""

import dataclasses
from typing import Any

from tests.unit.operator import worlds
from wasmoor_operator.api.status import ComponentPolicyStatus
from wasmoor_operator.decide import model, policy


def decide(*policies: model.Policy, components: tuple[model.Component, ...] = ()) -> model.PolicyPlan:
    observed = model.ObservedPolicy(policy=policies[0], now=worlds.NOW, siblings=policies, components=components)
    plan = policy.decide_policy(observed)
    if plan.status is not None:
        ComponentPolicyStatus.model_validate(plan.status)
    return plan


def ready(plan: model.PolicyPlan) -> Any:
    assert plan.status is not None
    condition = plan.status["conditions"][0]
    return condition["status"], condition["reason"]


def test_a_good_policy_is_accepted() -> None:
    plan = decide(worlds.read_policy(limits={"memory": "64Mi"}))
    assert ready(plan) == ("True", "Accepted")
    assert [event.reason for event in plan.events] == ["Accepted"]


def test_two_defaults_are_a_conflict_on_both() -> None:
    first, second = worlds.read_policy("a", default=True), worlds.read_policy("b", default=True)
    assert ready(decide(first, second)) == ("False", "PolicyConflict")
    assert ready(decide(second, first)) == ("False", "PolicyConflict")


def test_a_conflict_of_others_concerns_only_them() -> None:
    defaults = worlds.read_policy("a", default=True), worlds.read_policy("b", default=True)
    assert ready(decide(worlds.read_policy(), *defaults)) == ("True", "Accepted")


def test_a_limit_of_zero_is_invalid() -> None:
    plan = decide(worlds.read_policy(limits={"memory": "0"}))
    assert ready(plan) == ("False", "PolicyInvalid")


def test_what_cannot_be_read_is_invalid() -> None:
    assert ready(decide(worlds.read_policy(surprise=1))) == ("False", "PolicyInvalid")


def test_components_that_name_it_are_counted() -> None:
    named = worlds.read_component(policyRef={"name": "restricted"})
    plan = decide(worlds.read_policy(), components=(named, worlds.read_component()))
    assert plan.status is not None
    assert plan.status["boundComponents"] == 1


def test_a_default_is_bound_to_all_that_name_none() -> None:
    named = worlds.read_component(policyRef={"name": "other"})
    components = (named, worlds.read_component(), worlds.read_component())
    plan = decide(worlds.read_policy(default=True), components=components)
    assert plan.status is not None
    assert plan.status["boundComponents"] == 2


def test_an_unchanged_status_is_not_written() -> None:
    first = decide(worlds.read_policy())
    stored = dataclasses.replace(worlds.read_policy(), status=first.status or {})
    assert decide(stored) == model.PolicyPlan()
