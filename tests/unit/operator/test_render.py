"""What children look like."""

import dataclasses
import json
from typing import Any

import pytest

from tests.unit.operator import worlds
from wasmoor_operator import settings
from wasmoor_operator.api.component import WasmComponentSpec
from wasmoor_operator.render import children, names, overlay
from wasmoor_runtime.contract.document import ComponentRef, Contract
from wasmoor_runtime.policy import contracts, selection


def render(render_settings: settings.RenderSettings = worlds.RENDER, **spec: Any) -> dict[str, dict[str, Any]]:
    parsed = WasmComponentSpec.model_validate({"source": {"oci": {"reference": worlds.REFERENCE}}, **spec})
    contract = contracts.render_contract(
        component=ComponentRef(namespace="tools", name="time"),
        source=contracts.pin_source(parsed.source.member, contracts.file_digest(parsed.source.member) or worlds.DIGEST),
        policy=selection.Selection(),
    )
    owner = names.Owner(namespace="tools", name="time", uid="uid-1", spec=parsed)
    return {
        each["kind"]: each for stage in children.render_children(owner, contract, render_settings) for each in stage
    }


def pod(**spec: Any) -> dict[str, Any]:
    found: dict[str, Any] = render(**spec)["Deployment"]["spec"]["template"]["spec"]
    return found


def container(**spec: Any) -> dict[str, Any]:
    found: dict[str, Any] = pod(**spec)["containers"][0]
    return found


def test_every_child_is_owned_labelled_and_stamped() -> None:
    for manifest in render().values():
        meta = manifest["metadata"]
        assert meta["namespace"] == "tools"
        assert meta["labels"]["wasmoor.dev/component"] == "time"
        assert meta["labels"]["app.kubernetes.io/managed-by"] == "wasmoor"
        assert [(o["uid"], o["controller"]) for o in meta["ownerReferences"]] == [("uid-1", True)]
        assert meta["annotations"]["wasmoor.dev/desired"]


def test_the_same_wish_has_the_same_stamp_and_another_another() -> None:
    stamps = [each["Deployment"]["metadata"]["annotations"] for each in (render(), render(), render(replicas=2))]
    assert stamps[0] == stamps[1]
    assert stamps[0] != stamps[2]


def test_the_contract_is_immutable_and_the_pod_mounts_it() -> None:
    found = render()
    stored = Contract.model_validate_json(found["ConfigMap"]["data"]["contract.json"])
    template = found["Deployment"]["spec"]["template"]
    assert found["ConfigMap"]["immutable"] is True
    assert template["metadata"]["labels"]["wasmoor.dev/contract"] == stored.hash()
    assert template["spec"]["volumes"][0]["configMap"]["name"] == found["ConfigMap"]["metadata"]["name"]
    assert "--contract=/etc/wasmoor/contract.json" in container()["args"]
    assert "--cache=/var/cache/wasmoor" in container()["args"]


def test_pods_send_events_where_the_installation_says() -> None:
    wished = dataclasses.replace(worlds.RENDER, events_sink="https://events.example/hook")

    (told,) = render(wished)["Deployment"]["spec"]["template"]["spec"]["containers"]

    assert "--events-sink=https://events.example/hook" in told["args"]
    assert not any(word.startswith("--events-sink") for word in container()["args"])


def test_a_pod_holds_nothing_worth_taking() -> None:
    spec = pod()
    security = container()["securityContext"]
    assert spec["automountServiceAccountToken"] is False
    assert render()["ServiceAccount"]["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert security == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "env" not in container()
    assert all("emptyDir" in each or "configMap" in each for each in spec["volumes"])


def test_every_volume_that_can_be_written_has_a_bound() -> None:
    for volume in pod()["volumes"]:
        if "emptyDir" in volume:
            assert volume["emptyDir"]["sizeLimit"]


def test_a_version_goes_only_when_its_successor_is_ready() -> None:
    strategy = render()["Deployment"]["spec"]["strategy"]
    assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}


def test_only_readiness_asks_whether_the_component_serves() -> None:
    paths = {probe: container()[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}


def test_a_pod_has_longer_to_stop_than_its_contract_says() -> None:
    assert pod()["terminationGracePeriodSeconds"] > Contract.model_fields["timing"].default.stop_timeout_seconds


@pytest.mark.parametrize(
    ("spec", "replicas"),
    [({}, None), ({"replicas": 3}, 3), ({"replicas": 3, "suspend": True}, 0), ({"replicas": 0}, 0)],
)
def test_the_number_of_pods_is_ours_only_where_the_spec_says_it(spec: dict[str, Any], replicas: int | None) -> None:
    assert render(**spec)["Deployment"]["spec"].get("replicas") == replicas


def test_resources_have_default_requests_and_no_default_limits() -> None:
    assert container()["resources"] == {"requests": {"cpu": "50m", "memory": "128Mi"}}


def test_a_limit_without_a_request_is_not_given_a_smaller_or_larger_one() -> None:
    resources = container(resources={"limits": {"memory": "64Mi"}})["resources"]
    assert resources == {"requests": {"cpu": "50m"}, "limits": {"memory": "64Mi"}}


def test_the_service_leads_to_the_pods() -> None:
    service = render(service={"port": 80, "annotations": {"a": "b"}})["Service"]
    assert service["spec"]["selector"] == {"wasmoor.dev/component": "time"}
    assert service["spec"]["ports"][0] == {
        "name": "mcp",
        "port": 80,
        "targetPort": "mcp",
        "protocol": "TCP",
        "appProtocol": "http",
    }
    assert service["metadata"]["annotations"]["a"] == "b"


def test_an_overlay_cannot_take_away_what_selects_the_pods() -> None:
    template = {"metadata": {"labels": {"wasmoor.dev/component": "other", "team": "a"}}}
    labels = render(podTemplate=template)["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert labels["wasmoor.dev/component"] == "time"
    assert labels["team"] == "a"


@pytest.mark.parametrize(
    "template",
    [
        {"metadata": None},
        {"metadata": {"labels": None}},
        {"metadata": {"labels": "text"}},
        {"spec": {"containers": [{"name": ["a"]}]}},
        {"spec": {"containers": ["text"]}},
        {"spec": None},
    ],
)
def test_a_malformed_overlay_is_left_to_the_api_server_to_refuse(template: dict[str, Any]) -> None:
    labels = render(podTemplate=template)["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert labels["wasmoor.dev/component"] == "time"


def test_an_overlay_adds_to_the_container_of_the_same_name() -> None:
    added = {"containers": [{"name": "runtime", "env": [{"name": "A", "value": "b"}]}, {"name": "sidecar"}]}
    containers = pod(podTemplate={"spec": added})["containers"]
    assert [each["name"] for each in containers] == ["runtime", "sidecar"]
    assert containers[0]["env"] == [{"name": "A", "value": "b"}]
    assert containers[0]["args"]


def test_an_overlay_removes_a_field_by_null() -> None:
    assert "runAsUser" not in pod(podTemplate={"spec": {"securityContext": {"runAsUser": None}}})["securityContext"]


def test_an_overlay_replaces_lists_without_a_key() -> None:
    assert overlay.merge({"args": ["a", "b"]}, {"args": ["c"]}) == {"args": ["c"]}
    base = {"tolerations": [{"key": "a"}]}
    assert overlay.merge(base, {"tolerations": [{"key": "b"}]}) == {"tolerations": [{"key": "b"}]}


def test_an_overlay_changes_neither_side() -> None:
    base = {"containers": [{"name": "a", "env": [{"name": "x", "value": "1"}]}]}
    patch = {"containers": [{"name": "a", "env": [{"name": "x", "value": "2"}]}]}
    before = json.dumps([base, patch])
    merged = overlay.merge(base, patch)
    assert merged["containers"][0]["env"] == [{"name": "x", "value": "2"}]
    assert json.dumps([base, patch]) == before


@pytest.mark.parametrize(
    ("cache", "volume", "bound"),
    [
        (settings.CacheSettings(size_bytes=1000), {"emptyDir": {"sizeLimit": "1000"}}, 900),
        (
            settings.CacheSettings(type="hostPath", size_bytes=1000, path="/var/cache/w"),
            {"hostPath": {"path": "/var/cache/w", "type": "Directory"}},
            1000,
        ),
        (
            settings.CacheSettings(type="persistentVolumeClaim", size_bytes=1000, claim="cache"),
            {"persistentVolumeClaim": {"claimName": "cache"}},
            1000,
        ),
    ],
)
def test_a_cache_is_where_the_installation_says_and_pods_keep_to_its_bound(
    cache: settings.CacheSettings, volume: dict[str, Any], bound: int
) -> None:
    chosen = dataclasses.replace(worlds.RENDER, cache=cache)
    found = render(chosen)["Deployment"]["spec"]["template"]["spec"]
    assert next(each for each in found["volumes"] if each["name"] == "cache") == {"name": "cache", **volume}
    assert f"--cache-size={bound}" in found["containers"][0]["args"]
    assert (found["securityContext"]["fsGroup"], found["securityContext"]["runAsUser"]) == (65532, 65532)
