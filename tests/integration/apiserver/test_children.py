"""Rendered children, applied to a real API server: taken as they are, and recognised as unchanged when read back."""

from typing import Any

import pytest
import yaml

from tests.integration.apiserver.conftest import Kubectl
from wasmoor_operator import settings
from wasmoor_operator.api.component import WasmComponentSpec
from wasmoor_operator.decide import drift
from wasmoor_operator.render import children, names
from wasmoor_runtime.contract.document import ComponentRef
from wasmoor_runtime.policy import contracts, selection

pytestmark = pytest.mark.integration

RENDER = settings.RenderSettings(
    runtime_image="registry.example/wasmoor/runtime:0.1.0", cache=settings.CacheSettings(size_bytes=2048 << 20)
)
PLAIN: dict[str, Any] = {"source": {"oci": {"reference": "registry.example/team/time:1.2.0"}}}
FULL: dict[str, Any] = {
    **PLAIN,
    "replicas": 2,
    "resources": {"requests": {"cpu": 1, "memory": "1024Mi"}, "limits": {"cpu": "1500m", "memory": "2048Mi"}},
    "service": {"port": 80, "annotations": {"mesh.example/protocol": "mcp"}},
    "podTemplate": {
        "metadata": {"annotations": {"mesh.example/inject": "true"}},
        "spec": {
            "nodeSelector": {},
            "hostNetwork": False,
            "priorityClassName": None,
            "tolerations": [{"key": "wasm", "operator": "Exists"}],
            "securityContext": {"runAsUser": None},
            "containers": [
                {"name": "runtime", "env": [{"name": "A", "value": "b"}]},
                {"name": "sidecar", "image": "registry.example/sidecar:1"},
            ],
        },
    },
}


def render(name: str, spec: dict[str, Any]) -> list[dict[str, Any]]:
    parsed = WasmComponentSpec.model_validate(spec)
    contract = contracts.render_contract(
        component=ComponentRef(namespace="default", name=name),
        source=contracts.pin_source(
            parsed.source.member, contracts.file_digest(parsed.source.member) or "sha256:" + "a" * 64
        ),
        policy=selection.Selection(),
    )
    owner = names.Owner(namespace="default", name=name, uid="00000000-0000-0000-0000-000000000001", spec=parsed)
    return [manifest for stage in children.render_children(owner, contract, RENDER) for manifest in stage]


def apply(kubectl: Kubectl, manifest: dict[str, Any]) -> Any:
    # Without an owner: the garbage collector would delete what belongs to nobody.
    orphan = {**manifest, "metadata": {k: v for k, v in manifest["metadata"].items() if k != "ownerReferences"}}
    arguments = ("apply", "--server-side", "--field-manager=wasmoor", "--force-conflicts", "--validate=strict")
    answer = kubectl.run(*arguments, "-f", "-", given=yaml.safe_dump(orphan))
    assert answer.returncode == 0, answer.stderr
    found = kubectl.read("get", manifest["kind"], manifest["metadata"]["name"])
    found["metadata"]["ownerReferences"] = manifest["metadata"]["ownerReferences"]
    return found


@pytest.mark.parametrize(("name", "spec"), [("plain", PLAIN), ("full", FULL)])
def test_children_are_taken_and_recognised_as_unchanged(kubectl: Kubectl, name: str, spec: dict[str, Any]) -> None:
    for manifest in render(name, spec):
        found = apply(kubectl, manifest)
        assert drift.is_as_wanted(manifest, found), manifest["kind"]


def test_what_somebody_changes_is_seen(kubectl: Kubectl) -> None:
    deployment = next(each for each in render("drifted", PLAIN) if each["kind"] == "Deployment")
    apply(kubectl, deployment)
    kubectl.run("set", "image", "deployment/drifted", "runtime=registry.example/other:1")
    assert not drift.is_as_wanted(deployment, kubectl.read("get", "deployment", "drifted"))


def test_what_belongs_to_others_is_left_alone(kubectl: Kubectl) -> None:
    deployment = next(each for each in render("shared", PLAIN) if each["kind"] == "Deployment")
    apply(kubectl, deployment)
    assert kubectl.run("scale", "deployment/shared", "--replicas=5").returncode == 0
    assert kubectl.run("rollout", "restart", "deployment/shared").returncode == 0
    found = apply(kubectl, deployment)
    assert found["spec"]["replicas"] == 5
    assert "kubectl.kubernetes.io/restartedAt" in found["spec"]["template"]["metadata"]["annotations"]
    assert drift.is_as_wanted(deployment, found)


def test_a_suspended_component_comes_back_with_one_pod(kubectl: Kubectl) -> None:
    suspended = next(each for each in render("paused", {**PLAIN, "suspend": True}) if each["kind"] == "Deployment")
    resumed = next(each for each in render("paused", PLAIN) if each["kind"] == "Deployment")
    assert apply(kubectl, suspended)["spec"]["replicas"] == 0
    assert apply(kubectl, resumed)["spec"]["replicas"] == 1


def test_an_object_that_is_not_ours_is_not_taken_over_without_force(kubectl: Kubectl) -> None:
    service = next(each for each in render("taken", PLAIN) if each["kind"] == "Service")
    other = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "taken", "namespace": "default"},
        "spec": {"selector": {"app": "somebody"}, "ports": [{"name": "mcp", "port": 8080, "targetPort": 1}]},
    }
    assert kubectl.run("apply", "--server-side", "-f", "-", given=yaml.safe_dump(other)).returncode == 0
    arguments = ("apply", "--server-side", "--field-manager=wasmoor", "-f", "-")
    answer = kubectl.run(*arguments, given=yaml.safe_dump(service))
    assert answer.returncode != 0
    assert "conflict" in answer.stderr


def test_pods_fit_the_restricted_pod_security_standard(kubectl: Kubectl) -> None:
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "strict", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
    }
    kubectl.run("apply", "--server-side", "-f", "-", given=yaml.safe_dump(namespace))
    deployment = next(each for each in render("strict", PLAIN) if each["kind"] == "Deployment")
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "strict", "namespace": "strict"},
        "spec": deployment["spec"]["template"]["spec"],
    }
    answer = kubectl.run("apply", "--server-side", "-f", "-", given=yaml.safe_dump(pod))
    assert answer.returncode == 0, answer.stderr
    assert "would violate" not in answer.stderr
