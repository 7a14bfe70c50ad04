"""Limits: built in, set by a policy, tightened by a component, never widened."""

from typing import Any

import pytest

from wasmoor_runtime import errors
from wasmoor_runtime.contract.document import CallLimits
from wasmoor_runtime.contract.spec import Execution, Limits
from wasmoor_runtime.policy import limits

MIB = 1024 * 1024


def decide(policy: dict[str, Any], execution: dict[str, Any]) -> CallLimits:
    return limits.call_limits(Limits.model_validate(policy), Execution.model_validate(execution))


def test_without_a_policy_the_built_in_limits_apply() -> None:
    assert decide({}, {}) == CallLimits()


def test_a_policy_sets_every_limit() -> None:
    found = decide(
        {
            "memory": "64Mi",
            "tableElements": 1,
            "instances": 2,
            "tables": 3,
            "memories": 4,
            "stack": "512Ki",
            "executionTimeout": "1m30s",
            "fuel": 5,
            "concurrency": 6,
            "callsPerSecond": 7,
            "requestBytes": 1024,
            "responseBytes": "1Mi",
        },
        {},
    )
    assert found == CallLimits(
        memory_bytes=64 * MIB,
        table_elements=1,
        instances=2,
        tables=3,
        memories=4,
        stack_bytes=512 * 1024,
        timeout_seconds=90.0,
        fuel=5,
        concurrency=6,
        calls_per_second=7,
        queue=64,
        request_bytes=1024,
        response_bytes=MIB,
    )


def test_a_component_tightens() -> None:
    found = decide({"executionTimeout": "10s"}, {"concurrency": 1, "queue": 0, "timeout": "500ms"})
    assert (found.concurrency, found.queue, found.timeout_seconds) == (1, 0, 0.5)


def test_a_component_may_ask_for_exactly_what_is_allowed() -> None:
    assert decide({"executionTimeout": "1m"}, {"timeout": "60s"}).timeout_seconds == 60


@pytest.mark.parametrize(
    ("policy", "execution", "both"),
    [
        ({"executionTimeout": "5s"}, {"timeout": "10s"}, ("10s", "5s")),
        ({}, {"timeout": "1h"}, ("1h", "30s")),
        ({"concurrency": 2}, {"concurrency": 3}, ("3", "2")),
    ],
)
def test_a_component_never_widens_and_is_told_both_values(
    policy: dict[str, Any], execution: dict[str, Any], both: tuple[str, str]
) -> None:
    with pytest.raises(errors.Stalled) as caught:
        decide(policy, execution)
    assert caught.value.reason == "ExceedsPolicy"
    assert all(value in caught.value.message for value in both)


@pytest.mark.parametrize("policy", [{"memory": "0"}, {"executionTimeout": "0s"}, {"stack": "0Mi"}])
def test_a_limit_of_zero_is_an_invalid_policy(policy: dict[str, Any]) -> None:
    with pytest.raises(errors.Stalled) as caught:
        decide(policy, {})
    assert caught.value.reason == "PolicyInvalid"
