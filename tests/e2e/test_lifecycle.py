"""The rest of a component's life: quiet while nothing changes, suspended, deleted."""

from __future__ import annotations

import time

import pytest

from scripts import client_pod, examples, installation, kubectl
from tests.e2e.harness import Tenant, find_condition, wait_until

pytestmark = pytest.mark.e2e

WRITTEN = "wasmcomponents,componentpolicies,deployments,services,configmaps,serviceaccounts"
QUIET = 12.0


def read_versions(cluster: kubectl.Kubectl, namespace: str) -> dict[str, str]:
    return {
        f"{one['kind']}/{one['metadata']['name']}": one["metadata"]["resourceVersion"]
        for one in cluster.list_all(WRITTEN, namespace)
    }


def test_a_reconcile_with_nothing_to_do_writes_nothing(
    cluster: kubectl.Kubectl, made: installation.Installation, client: client_pod.ClientPod
) -> None:
    tools = Tenant(cluster, made, client, examples.NAMESPACE)
    tools.wait_ready(*examples.list_references())
    # The annotation itself is a write; what counts is that the reconcile it causes adds none.
    tools.kubectl.run("annotate", "wasmcomponents", "--all", "--overwrite", f"e2e/seen={time.time()}", "-n", "tools")
    before = read_versions(cluster, tools.namespace)
    assert len(before) > 4 * len(examples.list_references())
    time.sleep(QUIET)
    assert read_versions(cluster, tools.namespace) == before


def test_a_suspended_component_keeps_everything_but_its_pods(tenant: Tenant) -> None:
    digest = tenant.push("spin", "1")
    tenant.apply("rest", tenant.reference("1"))
    tenant.wait_ready("rest")
    tenant.kubectl.patch("wasmcomponent", "rest", tenant.namespace, {"spec": {"suspend": True}})
    tenant.wait_condition("rest", "Ready", "False", "Suspended")
    wait_until(lambda: not tenant.list_pods("rest"), "no pod is left")
    component = tenant.read("rest")
    assert component["status"]["phase"] == "Suspended"
    assert find_condition(component, "Stalled")["status"] == "False"
    assert {"Deployment", "Service", "ConfigMap", "ServiceAccount"} <= {
        child["kind"] for child in tenant.list_children("rest")
    }
    tenant.kubectl.patch("wasmcomponent", "rest", tenant.namespace, {"spec": {"suspend": False}})
    tenant.wait_serving("rest", digest)
    tenant.assert_answers_ping("rest")


def test_deleting_a_component_or_its_namespace_deletes_everything_made_for_it(tenant: Tenant) -> None:
    tenant.push("spin", "1")
    tenant.apply("gone", tenant.reference("1"))
    tenant.apply("stays", tenant.reference("1"))
    tenant.wait_ready("gone", "stays")
    assert len(tenant.list_children("gone")) >= 6
    tenant.kubectl.run("delete", "wasmcomponent", "gone", "--namespace", tenant.namespace)
    wait_until(lambda: not tenant.list_children("gone"), "nothing is left of it")
    tenant.assert_answers_ping("stays")
    # Nothing of ours holds a namespace up, not even with a component in it.
    tenant.kubectl.run("delete", "namespace", tenant.namespace, "--timeout=90s", timeout=100)
    assert tenant.kubectl.read("namespace", tenant.namespace) is None
