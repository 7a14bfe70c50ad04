"""The chart as helm renders it: what it installs, with which rights, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.integration.chart import rendering
from wasmoor_operator import options
from wasmoor_operator.adapters import rights

pytestmark = pytest.mark.integration

DIGEST = "sha256:" + "a" * 64
Rights = set[tuple[str, str, str]]


def collect_rights(role: dict[str, Any]) -> Rights:
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def list_rights(scope: str) -> Rights:
    return {
        (right.group, right.resource, verb) for right in rights.RIGHTS if right.scope == scope for verb in right.verbs
    }


def bound_roles(manifests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the roles that some binding gives to the operator's account."""
    bindings = [*rendering.select(manifests, "RoleBinding"), *rendering.select(manifests, "ClusterRoleBinding")]
    bound = {(one["roleRef"]["kind"], one["roleRef"]["name"], one["metadata"].get("namespace", "")) for one in bindings}
    return [
        one
        for one in manifests
        if (one["kind"], one["metadata"]["name"], one["metadata"].get("namespace", "")) in bound
    ]


def test_the_chart_passes_strict_lint() -> None:
    done = rendering.run_helm("lint", "--strict", str(rendering.CHART))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rendered_kinds_are_the_generated_files_and_stay_on_uninstall() -> None:
    rendered = {
        one["metadata"]["name"]: one for one in rendering.select(rendering.render_chart(), "CustomResourceDefinition")
    }
    generated = [yaml.safe_load(path.read_text()) for path in sorted((rendering.REPOSITORY / "crds").glob("*.yaml"))]
    assert sorted(rendered) == ["componentpolicies.wasmoor.dev", "wasmcomponents.wasmoor.dev"]
    assert len(generated) == len(rendered)
    for expected in generated:
        found = rendered[expected["metadata"]["name"]]
        assert found["metadata"].pop("annotations") == {
            **expected["metadata"].pop("annotations", {}),
            "helm.sh/resource-policy": "keep",
        }
        assert found == expected


def test_without_keep_the_kinds_go_with_the_release() -> None:
    kinds = list(rendering.select(rendering.render_chart({"crds.keep": False}), "CustomResourceDefinition"))
    assert len(kinds) == 2
    assert all("helm.sh/resource-policy" not in one["metadata"].get("annotations", {}) for one in kinds)


def test_the_kinds_can_be_left_to_somebody_else() -> None:
    assert not list(rendering.select(rendering.render_chart({"crds.install": False}), "CustomResourceDefinition"))


def test_the_operator_gets_the_rights_it_uses_and_no_other() -> None:
    manifests = rendering.render_chart()
    roles = bound_roles(manifests)
    cluster = [role for role in roles if role["kind"] == "ClusterRole"]
    own = [role for role in roles if role["kind"] == "Role"]
    assert [collect_rights(role) for role in cluster] == [list_rights("served")]
    assert [collect_rights(role) for role in own] == [list_rights("own")]
    assert own[0]["metadata"]["namespace"] == rendering.NAMESPACE


def test_no_role_of_the_chart_knows_secrets_or_wildcards() -> None:
    manifests = rendering.render_chart()
    every = [*rendering.select(manifests, "ClusterRole"), *rendering.select(manifests, "Role")]
    granted = set().union(*(collect_rights(role) for role in every))
    assert granted
    forbidden = {"*", "secrets", "pods/exec", "bind", "escalate", "impersonate"}
    assert not [right for right in granted if forbidden & set(right)]


def test_with_named_namespaces_the_operator_has_no_right_anywhere_else() -> None:
    manifests = rendering.render_chart({"watchNamespaces": ["blue", "green"], "rbac.aggregate": False})
    assert not list(rendering.select(manifests, "ClusterRole"))
    assert not list(rendering.select(manifests, "ClusterRoleBinding"))
    served = {
        role["metadata"]["namespace"]: collect_rights(role)
        for role in bound_roles(manifests)
        if role["metadata"]["namespace"] != rendering.NAMESPACE
    }
    assert served == {"blue": list_rights("served"), "green": list_rights("served")}
    assert rendering.read_environment(rendering.find_one(manifests, "Deployment"))["WASMOOR_NAMESPACES"] == "blue,green"


def test_the_cluster_s_own_roles_cover_the_two_kinds() -> None:
    roles = {one["metadata"]["name"]: one for one in rendering.select(rendering.render_chart(), "ClusterRole")}
    view, edit = roles["wasmoor-view"], roles["wasmoor-edit"]
    assert view["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-view"] == "true"
    assert edit["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-edit"] == "true"
    assert edit["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-admin"] == "true"
    assert {verb for _, _, verb in collect_rights(view)} == {"get", "list", "watch"}
    assert ("wasmoor.dev", "wasmcomponents", "create") in collect_rights(edit)
    assert not [right for right in collect_rights(edit) if right[1].endswith("/status")]


def test_the_operator_s_pods_satisfy_the_restricted_standard() -> None:
    pod = rendering.find_one(rendering.render_chart(), "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not [volume for volume in pod["volumes"] if "hostPath" in volume]


def test_two_operators_are_kept_apart_and_one_is_kept_up() -> None:
    manifests = rendering.render_chart()
    deployment = rendering.find_one(manifests, "Deployment")
    budget = rendering.find_one(manifests, "PodDisruptionBudget")
    assert deployment["spec"]["replicas"] == 2
    assert "podAntiAffinity" in deployment["spec"]["template"]["spec"]["affinity"]
    assert budget["spec"]["minAvailable"] == 1
    assert budget["spec"]["selector"] == deployment["spec"]["selector"]


def test_a_single_operator_never_blocks_a_drain() -> None:
    assert not list(rendering.select(rendering.render_chart({"replicas": 1}), "PodDisruptionBudget"))


def test_a_digest_wins_over_a_tag() -> None:
    values = {
        "image.digest": DIGEST,
        "image.tag": "9",
        "runtimeImage.repository": "here/runtime",
        "runtimeImage.tag": "7",
    }
    deployment = rendering.find_one(rendering.render_chart(values), "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"ghcr.io/wasmoor/operator@{DIGEST}"
    assert rendering.read_environment(deployment)["WASMOOR_RUNTIME_IMAGE"] == "here/runtime:7"


def test_the_operator_understands_everything_the_chart_tells_it() -> None:
    values = {
        "registryMirrors": {"localhost:5000": "http://10.1.2.3:5000", "ghcr.io": "https://mirror.example"},
        "watchNamespaces": ["blue", "green"],
        "imagePullPolicy": "Never",
        "logFormat": "text",
        "logLevel": "DEBUG",
        "runtime.eventsSink": "https://events.example/hook",
        "runtime.cache.type": "hostPath",
        "runtime.cache.path": "/var/cache/wasmoor",
        "runtime.cache.size": "10Gi",
    }
    deployment = rendering.find_one(rendering.render_chart(values), "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    told = options.build_settings(options.parse_arguments(container["args"], rendering.read_environment(deployment)))
    assert told.render.mirrors == values["registryMirrors"]
    assert told.render.image_pull_policy == "Never"
    assert told.render.events_sink == "https://events.example/hook"
    assert (told.render.cache.type, told.render.cache.path) == ("hostPath", "/var/cache/wasmoor")
    assert told.render.cache.size_bytes == 10 << 30
    assert told.watch.namespaces == ("blue", "green")
    assert (told.log.format, told.log.level) == ("text", "DEBUG")
    assert told.election.enabled
    assert told.health.port == container["ports"][0]["containerPort"]


def test_the_chart_sets_no_variable_that_the_operator_does_not_know() -> None:
    deployment = rendering.find_one(rendering.render_chart(), "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    known = vars(options.parse_arguments(container["args"], rendering.read_environment(deployment)))
    set_here = {entry["name"].removeprefix("WASMOOR_").lower() for entry in container["env"]}
    assert set_here <= set(known)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("registryMirror", {}),
        ("image.digset", DIGEST),
        ("image.digest", "sha256:abc"),
        ("replicas", -1),
        ("logFormat", "xml"),
        ("registryMirrors", {"ghcr.io": "mirror.example"}),
        ("watchNamespaces", ["Not A Namespace"]),
        ("runtime.eventsSink", "events.example"),
        ("runtime.cache.type", "tape"),
        ("runtime.cache.size", "lots"),
        ("runtime.cache.path", "var/cache"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: object) -> None:
    done = rendering.template({name: value})
    assert done.returncode != 0
    assert name.rsplit(".", maxsplit=1)[-1] in done.stderr


@pytest.mark.parametrize(("kind", "missing"), [("hostPath", "path"), ("persistentVolumeClaim", "claimName")])
def test_a_cache_that_is_shared_needs_to_know_where(kind: str, missing: str) -> None:
    done = rendering.template({"runtime.cache.type": kind})
    assert done.returncode != 0
    assert missing in done.stderr


def test_every_value_is_described_and_checked() -> None:
    values = yaml.safe_load((rendering.CHART / "values.yaml").read_text())
    schema = json.loads((rendering.CHART / "values.schema.json").read_text())
    readme = (rendering.CHART / "README.md").read_text()
    assert set(schema["properties"]) - {"global"} == set(values)
    assert not [name for name in values if f"`{name}" not in readme]
