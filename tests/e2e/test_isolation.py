"""What a component cannot do: hold up others, look around in its pod, reach out; and what its pod does not hold."""

from __future__ import annotations

import json

import pytest

from scripts.client_pod import PYTHON
from scripts.commands import StepFailed
from scripts.installation import Installation
from scripts.kubectl import Kubectl
from tests.e2e.harness import Tenant

pytestmark = pytest.mark.e2e

TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"
PROBE = f"""
import importlib.util, json, os
def try_to_write(path):
    try:
        open(path, "w").close()
    except OSError as error:
        return error.strerror
    os.remove(path)
    return "written"
print(json.dumps({{
    "modules": [n for n in ("kopf", "kubernetes", "wasmtime", "pip") if importlib.util.find_spec(n)],
    "user": os.getuid(),
    "token": os.path.exists({TOKEN!r}),
    "root": try_to_write("/opt/wasmoor/probe"),
    "environment": sorted(n for n in os.environ if n.endswith("_SERVICE_HOST")),
}}))
"""


def probe(kubectl: Kubectl, pod: str, namespace: str, container: str) -> dict[str, object]:
    where = ["--namespace", namespace, "--container", container]
    found: dict[str, object] = json.loads(kubectl.run("exec", pod, *where, "--", PYTHON, "-c", PROBE))
    return found


def test_a_call_that_loops_for_ever_is_cut_at_its_deadline_while_others_go_on(tenant: Tenant) -> None:
    tenant.push("spin", "1")
    tenant.apply("loop", tenant.reference("1"), execution={"timeout": "3s", "concurrency": 4})
    tenant.wait_ready("loop")
    answers = tenant.call_all("loop", [("spin", {}), ("spin", {}), *[("ping", {})] * 10])
    loops, pings = answers[:2], answers[2:]
    for answer in loops:
        assert answer.get("isError") is True, answer
        assert "ExecutionTimeout" in answer["text"]
    assert [answer.get("structured") for answer in pings] == [{"result": "pong"}] * len(pings)
    (pod,) = tenant.list_pods("loop")
    assert [one["restartCount"] for one in pod["status"]["containerStatuses"]] == [0]
    tenant.assert_answers_ping("loop")


def test_a_component_that_crashes_harms_no_other_call(tenant: Tenant) -> None:
    tenant.push("trap", "1")
    tenant.apply("crash", tenant.reference("1"))
    tenant.wait_ready("crash")
    answers = tenant.call_all("crash", [("trap", {}), ("ping", {}), ("trap", {}), ("ping", {})])
    assert [answer.get("isError") for answer in answers] == [True, False, True, False], answers


def test_a_component_sees_nothing_of_its_pod_and_reaches_nobody(tenant: Tenant) -> None:
    tenant.push("nosy", "1")
    tenant.apply("nosy", tenant.reference("1"))
    tenant.wait_ready("nosy")
    api = tenant.kubectl.read("service", "kubernetes", "default")
    assert api is not None
    target = f"{api['spec']['clusterIP']}:443"
    answer = tenant.call("nosy", "look", {"address": target, "host": "localhost"})
    assert answer.get("isError") is False, answer
    seen = answer["structured"]["result"]
    assert seen["environment"] == []
    assert seen["arguments"] == []
    for attempt in ("root-directory", "password-file", "written-file", "connection", "addresses"):
        assert '"ok"' not in json.dumps(seen[attempt]), (attempt, seen[attempt])
        assert "err" in json.dumps(seen[attempt]), (attempt, seen[attempt])


def test_a_pod_holds_no_token_no_root_and_no_operator(tenant: Tenant) -> None:
    tenant.push("spin", "1")
    tenant.apply("bare", tenant.reference("1"))
    tenant.wait_ready("bare")
    (pod,) = tenant.list_pods("bare")
    assert not [volume for volume in pod["spec"]["volumes"] if "projected" in volume or "secret" in volume]
    found = probe(tenant.kubectl, pod["metadata"]["name"], tenant.namespace, "runtime")
    assert found == {
        "modules": ["wasmtime"],
        "user": 65532,
        "token": False,
        "root": "Read-only file system",
        "environment": ["KUBERNETES_SERVICE_HOST"],
    }


def test_the_operator_s_pods_hold_no_engine_and_no_root(cluster: Kubectl, made: Installation) -> None:
    pods = cluster.list_all("pods", made.namespace, "app.kubernetes.io/component=operator")
    names = [pod["metadata"]["name"] for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    assert names
    found = probe(cluster, names[0], made.namespace, "operator")
    assert found["modules"] == ["kopf", "kubernetes"]
    assert (found["user"], found["root"]) == (65532, "Read-only file system")


def test_the_operator_may_not_read_a_secret(cluster: Kubectl, made: Installation) -> None:
    account = f"--as=system:serviceaccount:{made.namespace}:{made.release}"
    assert cluster.run("auth", "can-i", "patch", "deployments", account, "--all-namespaces").strip() == "yes"
    with pytest.raises(StepFailed, match="no"):
        cluster.run("auth", "can-i", "get", "secrets", account, "--all-namespaces")
