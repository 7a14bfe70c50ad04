"""A new version takes over while callers call, and not one call fails."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.e2e.harness import Tenant, find_condition, is_current, wait_until

pytestmark = pytest.mark.e2e

# How long callers call before a rollout begins, in seconds; longer only strengthens the proof.
SETTLE = 2.0


def assert_nothing_failed(report: dict[str, Any]) -> None:
    assert report["failed"] == 0, report
    assert report["answers"] == {'{"result": "pong"}': report["answered"]}
    assert report["answered"] > 100, report


def test_a_tag_that_moves_rolls_over_without_a_failed_call(tenant: Tenant) -> None:
    first = tenant.push("spin", "latest")
    tenant.apply("roll", tenant.reference("latest"), oci={"refresh": "10s"}, replicas=2)
    tenant.wait_ready("roll")
    tenant.wait_serving("roll", first)
    before = tenant.list_uids("roll")
    with tenant.start_load("roll", "ping") as load:
        time.sleep(SETTLE)
        second = tenant.push("trap", "latest")
        assert second != first
        component = tenant.wait_serving("roll", second)
        tenant.wait_gone("roll", before)
        assert_nothing_failed(load.stop())
    assert {tool["name"] for tool in component["status"]["tools"]} == {"ping", "trap"}


def test_a_changed_spec_rolls_over_without_a_failed_call(tenant: Tenant) -> None:
    digest = tenant.push("spin", "1")
    tenant.apply("roll", tenant.reference("1"))
    tenant.wait_ready("roll")
    tenant.wait_serving("roll", digest)
    before = tenant.list_uids("roll")
    with tenant.start_load("roll", "ping") as load:
        time.sleep(SETTLE)
        change = {"spec": {"tools": {"overrides": [{"name": "ping", "description": "Answers pong."}]}}}
        tenant.kubectl.patch("wasmcomponent", "roll", tenant.namespace, change)
        component = tenant.wait_serving("roll", digest)
        tenant.wait_gone("roll", before)
        assert_nothing_failed(load.stop())
    described = {tool["name"]: tool["description"] for tool in component["status"]["tools"]}
    assert described["ping"] == "Answers pong."


def test_scaling_goes_through_the_component(tenant: Tenant) -> None:
    tenant.push("spin", "1")
    tenant.apply("roll", tenant.reference("1"), replicas=1)
    tenant.wait_ready("roll")
    with tenant.start_load("roll", "ping", callers=2) as load:
        scale(tenant, 2)
        both = tenant.list_uids("roll")
        assert len(both) == 2
        scale(tenant, 1)
        tenant.wait_gone("roll", both - tenant.list_uids("roll"))
        assert load.stop()["failed"] == 0


def scale(tenant: Tenant, replicas: int) -> None:
    """Scale as people and autoscalers do, and wait until it is done."""
    tenant.kubectl.run("scale", "wasmcomponent/roll", f"--replicas={replicas}", "--namespace", tenant.namespace)
    wait_pods(tenant, f"{replicas}/{replicas}")


def wait_pods(tenant: Tenant, wanted: str) -> None:
    """Wait until the component is settled with this many ready pods of this many wanted."""

    def observe() -> bool:
        component = tenant.read("roll")
        settled = is_current(component) and find_condition(component, "Reconciling")["status"] == "False"
        return settled and component["status"]["pods"] == wanted

    wait_until(observe, f"pods are {wanted}")
