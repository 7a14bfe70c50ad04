"""The main job on real input: four components in four languages are Ready and answer through their Services."""

from __future__ import annotations

import collections
import json

import pytest

from scripts import client_pod, examples, installation, kubectl
from tests.e2e.harness import Tenant, find_condition

pytestmark = pytest.mark.e2e

TOOLS = {
    "text": {"slugify", "word-frequencies", "parse-csv", "change-case"},
    "stats": {"summarize", "percentile", "linear-fit", "histogram"},
    "convert": {"convert-unit", "query-json", "format-json", "parse-url"},
    "math": {"add", "divide", "gcd", "square-root", "compare"},
}


@pytest.fixture
def tools(cluster: kubectl.Kubectl, made: installation.Installation, client: client_pod.ClientPod) -> Tenant:
    """The namespace of the examples, which `make up` applied."""
    tenant = Tenant(cluster, made, client, examples.NAMESPACE)
    tenant.wait_ready(*TOOLS)
    return tenant


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_an_example_is_ready_with_the_digest_and_the_tools_it_has(tools: Tenant, name: str) -> None:
    component = tools.read(name)
    status = component["status"]
    reference = examples.list_references()[name]
    repository, _, tag = reference.partition(":")
    assert status["artifact"]["digest"] == read_digest(tools.installation, repository, tag)
    assert status["artifact"]["size"] == (examples.COMPONENTS / f"{name}.wasm").stat().st_size
    assert {tool["name"] for tool in status["tools"]} == TOOLS[name]
    assert status["toolCount"] == len(TOOLS[name])
    assert status["endpoint"] == f"http://{name}.tools.svc:8080/mcp"
    assert status["observedGeneration"] == component["metadata"]["generation"]
    assert status["phase"] == "Running"
    assert status["readyReplicas"] == status["replicas"] == component["spec"].get("replicas", 1)
    states = {kind: find_condition(component, kind).get("status") for kind in ("Resolved", "Loaded", "Registered")}
    assert states == {"Resolved": "True", "Loaded": "True", "Registered": "True"}
    assert find_condition(component, "Stalled")["status"] == "False"
    assert find_condition(component, "Reconciling")["status"] == "False"


def test_every_tool_of_every_example_gives_the_right_answer_through_its_service(tools: Tenant) -> None:
    calls = examples.read_calls()
    urls = {name: tools.client.find_url(name, tools.namespace) for name in TOOLS}
    plans = [{"url": urls[call.component], "tool": call.tool, "arguments": call.arguments} for call in calls]
    answers = tools.client.call(plans)
    called = collections.defaultdict(set)
    for call, answer in zip(calls, answers, strict=True):
        assert "failure" not in answer, (call, answer)
        assert answer["isError"] == call.failed, (call, answer)
        assert examples.read_answer(answer) == call.answer, (call, answer)
        assert set(answer["tools"]) == TOOLS[call.component]
        called[call.component].add(call.tool)
    assert dict(called) == TOOLS


def test_people_see_state_tools_and_pods_at_a_glance(tools: Tenant) -> None:
    table = tools.kubectl.run("get", "wc", "--namespace", tools.namespace)
    header, *rows = [line.split() for line in table.splitlines()]
    assert header == ["NAME", "READY", "PHASE", "TOOLS", "REPLICAS", "RESTARTS", "AGE"]
    shown = {row[0]: row[1:5] for row in rows}
    assert shown["text"] == ["True", "Running", "4", "2/2"]
    assert shown["math"] == ["True", "Running", "5", "1/1"]


def test_the_category_lists_components_and_policies_together(tools: Tenant) -> None:
    names = tools.kubectl.run("get", "wasmoor", "--namespace", tools.namespace, "--output=name").split()
    assert "wasmcomponent.wasmoor.dev/text" in names
    assert "componentpolicy.wasmoor.dev/restricted" in names


def test_an_applied_policy_shows_on_both_sides(tools: Tenant) -> None:
    assert tools.read("math")["status"]["policy"]["name"] == "restricted"
    policy = tools.kubectl.read("componentpolicy", "restricted", tools.namespace)
    assert policy is not None
    assert policy["status"]["boundComponents"] == 1
    assert find_condition(policy, "Ready")["status"] == "True"


def test_what_happened_can_be_read_as_events(tools: Tenant) -> None:
    text = tools.kubectl.run("get", "events", "--namespace", tools.namespace, "--output=json")
    told = {
        (event["involvedObject"]["name"], event["reason"])
        for event in json.loads(text)["items"]
        if event["involvedObject"]["kind"] == "WasmComponent"
    }
    assert {name for name, _ in told} >= set(TOOLS)
    assert ("text", "Running") in told


def read_digest(made: installation.Installation, repository: str, tag: str) -> str:
    """Ask the registry, not the operator, what a tag names."""
    import oras.client

    client = oras.client.OrasClient(insecure=made.plain_http)
    container = client.get_container(f"{made.registry}/{repository}:{tag}")
    accept = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
    answer = client.do_request(f"{client.prefix}://{container.manifest_url()}", "GET", headers=accept)
    return str(answer.headers["Docker-Content-Digest"])
