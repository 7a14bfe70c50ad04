"""What somebody deletes, or the world kills, comes back."""

from __future__ import annotations

import pytest

from tests.e2e.harness import Tenant, find_condition, wait_until

pytestmark = pytest.mark.e2e


def serve_ping(tenant: Tenant, name: str = "ping") -> str:
    digest = tenant.push("spin", "1")
    tenant.apply(name, tenant.reference("1"))
    tenant.wait_ready(name)
    tenant.wait_serving(name, digest)
    return digest


def test_a_killed_pod_is_replaced(tenant: Tenant) -> None:
    digest = serve_ping(tenant)
    (pod,) = tenant.list_pods("ping")
    tenant.kubectl.run(
        "delete", "pod", pod["metadata"]["name"], "--namespace", tenant.namespace, "--force", "--grace-period=0"
    )
    wait_until(
        lambda: [one for one in tenant.list_pods("ping") if one["metadata"]["uid"] != pod["metadata"]["uid"]],
        "another pod",
    )
    tenant.wait_serving("ping", digest)
    tenant.assert_answers_ping("ping")


def test_deleted_children_come_back(tenant: Tenant) -> None:
    digest = serve_ping(tenant)
    children = [
        child
        for child in tenant.list_children("ping")
        if child["kind"] in {"Deployment", "Service", "ConfigMap", "ServiceAccount"}
    ]
    assert {child["kind"] for child in children} == {"Deployment", "Service", "ConfigMap", "ServiceAccount"}
    names = [f"{child['kind'].lower()}/{child['metadata']['name']}" for child in children]
    tenant.kubectl.run("delete", *names, "--namespace", tenant.namespace, "--cascade=foreground", timeout=120)
    gone = {child["metadata"]["uid"] for child in children}

    def observe() -> bool:
        now = {
            (child["kind"], child["metadata"]["name"])
            for child in tenant.list_children("ping")
            if child["metadata"]["uid"] not in gone
        }
        return {(child["kind"], child["metadata"]["name"]) for child in children} <= now

    wait_until(observe, "every child is there again")
    tenant.wait_serving("ping", digest)
    tenant.wait_answers_ping("ping")


def test_what_somebody_changes_in_a_child_is_changed_back(tenant: Tenant) -> None:
    serve_ping(tenant)
    wrong = {"spec": {"selector": {"wasmoor.dev/component": "somebody-else"}}}
    tenant.kubectl.patch("service", "ping", tenant.namespace, wrong)

    def observe() -> bool:
        service = tenant.kubectl.read("service", "ping", tenant.namespace)
        return service is not None and service["spec"]["selector"] == {"wasmoor.dev/component": "ping"}

    wait_until(observe, "the selector is right again")
    tenant.wait_answers_ping("ping")


def test_operators_killed_in_the_middle_of_their_work_finish_it_afterwards(tenant: Tenant) -> None:
    digest = tenant.push("spin", "1")
    names = [f"ping-{number}" for number in range(4)]
    for name in names:
        tenant.apply(name, tenant.reference("1"))
    tenant.kubectl.run(
        "delete",
        "pods",
        "--selector=app.kubernetes.io/component=operator",
        f"--namespace={tenant.installation.namespace}",
        "--force",
        "--grace-period=0",
    )
    unfinished = [name for name in names if find_condition(tenant.read(name), "Ready").get("status") != "True"]
    assert unfinished, "the operators were killed too late to prove anything"
    for name in names:
        component = tenant.wait_serving(name, digest)
        assert component["status"]["phase"] == "Running"
    tenant.assert_answers_ping(names[-1])
