"""What a real API server makes of the CRDs: what it takes, what it refuses, and what it tells people."""

import json
from typing import Any

import pytest

from tests.integration.apiserver.conftest import Kubectl

pytestmark = pytest.mark.integration

DIGEST = "sha256:" + "a" * 64


def component(name: str = "time", **spec: Any) -> dict[str, Any]:
    source = {"source": {"oci": {"reference": "registry.example/team/time:1.2.0"}}}
    return {
        "apiVersion": "wasmoor.dev/v1alpha1",
        "kind": "WasmComponent",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {**source, **spec},
    }


def policy(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "wasmoor.dev/v1alpha1",
        "kind": "ComponentPolicy",
        "metadata": {"name": "restricted", "namespace": "default"},
        "spec": spec,
    }


def oci(**fields: Any) -> dict[str, Any]:
    return component(source={"oci": fields})


def http(url: str, sha256: str = "a" * 64) -> dict[str, Any]:
    return component(source={"http": {"url": url, "sha256": sha256}})


GOOD = {
    "a url": component(
        "url", source={"http": {"url": "https://files.example:8443/time.wasm?signature=1", "sha256": "a" * 64}}
    ),
    "a config map": component("map", source={"configMap": {"name": "time-wasm", "key": "component.wasm"}}),
    "a file": component("file", source={"file": {"path": "/components/time.wasm", "sha256": "a" * 64}}),
    "the smallest component": component("smallest"),
    "every field": component(
        "every",
        source={"oci": {"reference": "localhost:5000/a/b:1", "refresh": "1m30s", "insecure": True}},
        policyRef={"name": "restricted"},
        tools={
            "include": ["get-*"],
            "exclude": ["get-secret"],
            "overrides": [{"name": "get-time", "title": "Time", "annotations": {"readOnlyHint": True}}],
        },
        replicas=2,
        execution={"concurrency": 8, "queue": 0, "timeout": "500ms"},
        resources={"requests": {"cpu": 1, "memory": "128Mi"}, "limits": {"cpu": "1500m", "memory": "1Gi"}},
        service={"annotations": {"a.example/b": "c"}, "port": 80},
        suspend=True,
        podTemplate={"spec": {"nodeSelector": {"disk": "ssd"}, "containers": [{"name": "runtime", "env": []}]}},
    ),
    "a digest": component("digest", source={"oci": {"reference": f"ghcr.io/a/b@{DIGEST}"}}),
    "a tag and a digest": component("both", source={"oci": {"reference": f"ghcr.io/a/b:1@{DIGEST}"}}),
    "a docker name": component("docker", source={"oci": {"reference": "team/time:latest"}}),
    "a registry by address": component("address", source={"oci": {"reference": "[fd00::1]:5000/time:1"}}),
    "an empty policy": policy(),
    "a full policy": policy(
        default=True,
        artifacts={
            "denyDigests": [DIGEST, "sha256:" + "b" * 64],
            "maxSize": "64Mi",
            "advisories": {"name": "osv", "key": "advisories.json"},
        },
        limits={
            "memory": "64Mi",
            "tableElements": 10,
            "instances": 1,
            "tables": 1,
            "memories": 1,
            "stack": "1Mi",
            "executionTimeout": "5s",
            "fuel": 1000000,
            "concurrency": 4,
            "requestBytes": 65536,
            "responseBytes": "4Mi",
        },
    ),
}

BAD = {
    "no member of source": (component(source={}), "source needs exactly one member: write oci:"),
    "an unknown source": (component(source={"ftp": {}}), ".spec.source.ftp: field not declared in schema"),
    "two sources": (
        component(source={"file": {"path": "/a.wasm"}, "configMap": {"name": "a", "key": "b"}}),
        "source needs exactly one member: write oci:",
    ),
    "a url without a hash": (component(source={"http": {"url": "https://x/a"}}), "spec.source.http.sha256: Required"),
    "a hash in capitals": (http("https://x/a", "A" * 64), "spec.source.http.sha256"),
    "a url with a password": (http("https://a:b@x/a"), "the URL holds a user or a password: leave them out"),
    "a url of another kind": (http("ftp://x/a"), "write a URL on http or https without a fragment"),
    "a url with a fragment": (http("https://x/a#b"), "write a URL on http or https without a fragment"),
    "a relative path": (component(source={"file": {"path": "a.wasm"}}), "write an absolute path without '..'"),
    "a path that climbs": (component(source={"file": {"path": "/a/../b"}}), "write an absolute path without '..'"),
    "no name of a config map": (
        component(source={"configMap": {"name": "Not_A_Name", "key": "a"}}),
        "spec.source.configMap.name",
    ),
    "no key": (component(source={"configMap": {"name": "a", "key": "a/b"}}), "spec.source.configMap.key"),
    "a misspelt field": (component(replica=2), ".spec.replica: field not declared in schema"),
    "a scheme": (oci(reference="https://ghcr.io/a/b:1"), "write the reference without a scheme"),
    "no tag": (oci(reference="ghcr.io/a/b"), "the reference names neither a tag nor a digest; append one"),
    "a port but no tag": (
        oci(reference="localhost:5000/b"),
        "the reference names neither a tag nor a digest; append one",
    ),
    "upper case": (oci(reference="ghcr.io/Team/b:1"), "repositories are in lower case"),
    "a short digest": (oci(reference="ghcr.io/a/b@sha256:abc"), "64 lower-case hexadecimal digits"),
    "another digest": (oci(reference="ghcr.io/a/b@md5:abc"), "64 lower-case hexadecimal digits"),
    "an empty reference": (oci(reference=""), "spec.source.oci.reference"),
    "refresh of a digest": (oci(reference=f"ghcr.io/a/b@{DIGEST}", refresh="10m"), "a digest never changes"),
    "refresh too often": (oci(reference="a/b:1", refresh="1s"), "refresh must be at least 10s"),
    "no duration": (oci(reference="a/b:1", refresh="soon"), "spec.source.oci.refresh"),
    "no timeout": (component(execution={"timeout": "0s"}), "timeout must be longer than zero"),
    "no concurrency": (component(execution={"concurrency": 0}), "spec.execution.concurrency"),
    "negative replicas": (component(replicas=-1), "spec.replicas"),
    "a name with dots": (component("time.v2"), "metadata.name becomes the name of a Service"),
    "a name with a digit first": (component("2time"), "metadata.name becomes the name of a Service"),
    "a long name": (component("a" * 64), "metadata.name becomes the name of a Service"),
    "two overrides of one tool": (
        component(tools={"overrides": [{"name": "a"}, {"name": "a"}]}),
        "duplicate entries for key",
    ),
    "an unknown resource": (component(resources={"limits": {"ram": "1Gi"}}), "resources are cpu, memory"),
    "no quantity": (component(resources={"limits": {"memory": "lots"}}), "spec.resources.limits.memory"),
    "no pod template": (
        component(podTemplate={"containers": []}),
        ".spec.podTemplate.containers: field not declared in schema",
    ),
    "no port": (component(service={"port": 0}), "spec.service.port"),
    "a policy without time": (policy(limits={"executionTimeout": "0s"}), "executionTimeout must be longer than zero"),
    "a denied tag": (policy(artifacts={"denyDigests": ["latest"]}), "spec.artifacts.denyDigests[0]"),
    "a digest denied twice": (policy(artifacts={"denyDigests": [DIGEST, DIGEST]}), "denyDigests: duplicate entries"),
    "a size in words": (policy(artifacts={"maxSize": "small"}), "spec.artifacts.maxSize"),
    "advisories without a key": (policy(artifacts={"advisories": {"name": "osv"}}), "advisories.key: Required"),
    "a policy with what is not there yet": (
        policy(network={"allow": []}),
        ".spec.network: field not declared in schema",
    ),
}


@pytest.mark.parametrize("case", GOOD)
def test_good_manifests_are_taken(kubectl: Kubectl, case: str) -> None:
    answer = kubectl.apply(GOOD[case])
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("case", BAD)
def test_bad_manifests_are_refused_with_a_sentence_that_helps(kubectl: Kubectl, case: str) -> None:
    manifest, expected = BAD[case]
    answer = kubectl.apply(manifest)
    assert answer.returncode != 0
    assert expected in answer.stderr


def test_one_mistake_in_a_reference_is_told_once(kubectl: Kubectl) -> None:
    for reference in ("https://ghcr.io/a/b:1", "ghcr.io/a/b", "ghcr.io/A/b:1", "ghcr.io/a/b@sha256:1"):
        answer = kubectl.apply(oci(reference=reference))
        assert answer.stderr.count("spec.source.oci.reference") == 1, answer.stderr


def test_defaults_are_written_only_where_their_object_is(kubectl: Kubectl) -> None:
    kubectl.apply(component("defaults"))
    spec = kubectl.read("get", "wc", "defaults")["spec"]
    assert spec == {
        "source": {"oci": {"reference": "registry.example/team/time:1.2.0", "insecure": False}},
        "suspend": False,
    }


@pytest.mark.parametrize("field", ["", ".spec.source.oci.reference", ".spec.podTemplate", ".status.conditions.reason"])
def test_kubectl_explain_describes_every_field(kubectl: Kubectl, field: str) -> None:
    answer = kubectl.run("explain", f"wasmcomponent{field}")
    assert answer.returncode == 0, answer.stderr
    description = answer.stdout.partition("DESCRIPTION:")[2].strip()
    assert description
    assert "<empty>" not in answer.stdout


def test_a_component_can_be_scaled_like_a_deployment(kubectl: Kubectl) -> None:
    kubectl.apply(component("scaled"))
    answer = kubectl.run("scale", "wasmcomponent/scaled", "--replicas=3")
    assert answer.returncode == 0, answer.stderr
    assert kubectl.read("get", "wc", "scaled")["spec"]["replicas"] == 3


def test_columns_show_what_people_ask_first(kubectl: Kubectl) -> None:
    kubectl.apply(component("columns"))
    status = {
        "observedGeneration": 1,
        "phase": "Running",
        "pods": "2/2",
        "toolCount": 4,
        "endpoint": "http://columns.default.svc:8080/mcp",
        "artifact": {"reference": "a/b:1", "digest": DIGEST, "resolvedAt": "2026-01-01T00:00:00Z"},
        "component": {
            "name": "time",
            "version": "1.2.0",
            "language": "Rust",
            "imports": ["wasi:io/poll@0.2.9"],
            "exports": ["get-time", "get-time"],
        },
        "restarts": {"count": 1},
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "Running",
                "message": "",
                "observedGeneration": 1,
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }
        ],
    }
    manifest = {**component("columns"), "status": status}
    del manifest["spec"]
    patched = kubectl.run("apply", "--server-side", "--subresource=status", "-f", "-", given=json.dumps(manifest))
    assert patched.returncode == 0, patched.stderr
    lines = kubectl.run("get", "wc", "columns", "-o", "wide").stdout.splitlines()
    assert " ".join(lines[0].split()) == "NAME READY PHASE TOOLS REPLICAS RESTARTS AGE REASON DIGEST ENDPOINT"
    cells = lines[1].split()
    assert cells[:6] == ["columns", "True", "Running", "4", "2/2", "1"]
    assert cells[7:] == ["Running", DIGEST, "http://columns.default.svc:8080/mcp"]


def test_everything_of_ours_is_found_by_its_category(kubectl: Kubectl) -> None:
    kubectl.apply(component("listed"))
    kubectl.apply(policy())
    names = kubectl.run("get", "wasmoor", "-o", "name").stdout.split()
    assert {"wasmcomponent.wasmoor.dev/listed", "componentpolicy.wasmoor.dev/restricted"} <= set(names)
