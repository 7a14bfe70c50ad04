"""What costs nothing: settled objects, other people's fields, restarts."""

from __future__ import annotations

import pytest

from tests.fakes.operator_pods import serve_pod
from tests.integration.operator.clusters import Operator, Site, wait_until
from tests.integration.operator.conftest import RunOperator
from tests.integration.operator.pods import apply_with_pod

pytestmark = pytest.mark.integration


def settle(site: Site, operator: Operator) -> None:
    """Apply a component and wait until all that can be written without pods is written."""
    site.apply("text")
    wait_until(lambda: site.says("text", "Resolved", "True", "Resolved"), "the status")
    wait_until(lambda: site.events("text"), "its event")
    assert len(site.children("text")) == 4
    # Four children, one status, one Event.
    wait_until(lambda: operator.writes() == 6, "six writes")


def look_again(site: Site, operator: Operator) -> None:
    """Have the operator look at the component without anything that concerns it having changed."""
    looks = operator.looks()
    site.api.merge(f"{site.apps}/deployments/text", {"metadata": {"labels": {"seen": str(looks)}}})
    wait_until(lambda: operator.looks() > looks, "another look")


def test_a_new_component_costs_six_writes_and_a_settled_one_none(site: Site, run_operator: RunOperator) -> None:
    with run_operator() as operator:
        settle(site, operator)

        look_again(site, operator)
        before = site.versions()
        looks = operator.looks()
        wait_until(lambda: operator.looks() >= looks + 2, "two more looks")

        assert site.versions() == before
        assert operator.writes() == 6


def test_labels_and_replicas_of_others_are_left_alone(site: Site, run_operator: RunOperator) -> None:
    with run_operator() as operator:
        settle(site, operator)

        site.api.merge(f"{site.apps}/deployments/text", {"metadata": {"labels": {"team": "one"}}})
        site.api.merge(f"{site.apps}/deployments/text", {"spec": {"replicas": 3}})
        wait_until(lambda: (site.component("text") or {})["status"].get("pods") == "0/3", "the status")

        # The status alone.
        assert operator.writes() == 7
    found = site.deployment("text")
    assert found is not None
    assert found["metadata"]["labels"]["team"] == "one"
    assert found["spec"]["replicas"] == 3


def test_a_settled_pod_is_asked_once(site: Site, run_operator: RunOperator) -> None:
    with run_operator() as operator:
        pod, address = apply_with_pod(site, "text")
        with serve_pod(pod, address):
            site.run_pod("text", address)
            wait_until(lambda: site.says("text", "Ready", "True", "Running"), "Ready")
            asked = list(pod.asked)

            for _ in range(3):
                look_again(site, operator)

            assert pod.asked == asked
            assert asked.count("tools/list") == 1


def test_a_restart_writes_nothing_and_keeps_what_was_known(site: Site, run_operator: RunOperator) -> None:
    with run_operator() as first:
        pod, address = apply_with_pod(site, "text")
        with serve_pod(pod, address):
            site.run_pod("text", address)
            wait_until(lambda: site.says("text", "Ready", "True", "Running"), "Ready")
            wait_until(lambda: any(event["reason"] == "Running" for event in site.events("text")), "its event")
            assert first.stop() == 0
            before, asked = site.versions(), len(pod.asked)

            with run_operator() as second:
                wait_until(lambda: pod.asked[asked:][-1:] == ["tools/list"], "the pod to be asked")
                look_again(site, second)

                assert second.writes() == 0
    after = site.versions()
    changed = {path for path in before | after if before.get(path) != after.get(path)}
    assert changed == {f"{site.apps}/deployments/text"}


def test_a_pod_that_is_gone_while_the_operator_was_away_is_told(site: Site, run_operator: RunOperator) -> None:
    with run_operator() as first:
        pod, address = apply_with_pod(site, "text")
        with serve_pod(pod, address):
            name = site.run_pod("text", address)
            wait_until(lambda: site.says("text", "Ready", "True", "Running"), "Ready")
            assert first.stop() == 0
    site.api.request("DELETE", f"{site.core}/pods/{name}", {"gracePeriodSeconds": 0})
    site.set_deployment("text", ready=0)

    with run_operator():
        wait_until(lambda: site.condition("text", "Ready").get("status") == "False", "not Ready")


def test_children_without_a_status_are_taken_on(site: Site, run_operator: RunOperator) -> None:
    with run_operator() as first:
        settle(site, first)
        assert first.stop() == 0
    before = site.children("text")
    # As after a death between the last child and the status.
    site.api.merge(f"{site.ours}/wasmcomponents/text/status", {"status": None})

    with run_operator() as second:
        wait_until(lambda: site.says("text", "Resolved", "True", "Resolved"), "the status")
        # The status, and the Event that goes with it.
        wait_until(lambda: second.writes() == 2, "two writes")

    after = site.children("text")
    assert {kind: child["metadata"]["resourceVersion"] for kind, child in after.items()} == {
        kind: child["metadata"]["resourceVersion"] for kind, child in before.items()
    }
