from __future__ import annotations

from pathlib import Path

import pytest

from wasmoor_runtime.cli.assembly import Assembly, decide_plans
from wasmoor_runtime.cli.manifests import Reading, parse_documents
from wasmoor_runtime.cli.problems import UserError
from wasmoor_runtime.cli.schemas import Schemas, load_schemas
from wasmoor_runtime.errors import Stalled
from wasmoor_runtime.sources.cache import Cache
from wasmoor_runtime.sources.pinning import Settings

COMPONENT = """
apiVersion: wasmoor.dev/v1alpha1
kind: WasmComponent
metadata: {name: %(name)s, namespace: tools}
spec:
  source: {oci: {reference: "localhost:1/text:1"}}
  %(more)s
---
"""
POLICY = """
apiVersion: wasmoor.dev/v1alpha1
kind: ComponentPolicy
metadata: {name: %(name)s, namespace: %(namespace)s}
spec: {default: %(default)s, limits: {memory: 8Mi}}
---
"""


def component(name: str = "text", more: str = "") -> str:
    return COMPONENT % {"name": name, "more": more}


def policy(name: str, *, default: str = "false", namespace: str = "tools") -> str:
    return POLICY % {"name": name, "default": default, "namespace": namespace}


@pytest.fixture(scope="module")
def schemas() -> Schemas:
    return load_schemas()


def plan(schemas: Schemas, text: str) -> Assembly:
    return decide_plans(parse_documents(text, "a.yaml"), schemas, Cache(Path("/nowhere")), Settings())


def test_each_component_has_a_path_of_its_own(schemas: Schemas) -> None:
    assert [p.path for p in plan(schemas, component("a") + component("b")).plans] == ["/tools/a/mcp", "/tools/b/mcp"]


def test_policies_are_those_of_the_components_namespace(schemas: Schemas) -> None:
    text = component() + policy("mine", default="true") + policy("theirs", default="true", namespace="other")
    (found,) = plan(schemas, text).plans
    assert [(p.name, p.default, p.limits.memory) for p in found.policies] == [("mine", True, "8Mi")]


def test_fields_that_mean_nothing_here_are_told(schemas: Schemas) -> None:
    notes = plan(schemas, component(more="replicas: 2\n  service: {port: 80}")).notes
    assert notes == (
        "a.yaml, document 1 (WasmComponent tools/text): spec.replicas, spec.service: means nothing without a cluster",
    )


def test_a_suspended_component_is_skipped_with_a_note(schemas: Schemas) -> None:
    found = plan(schemas, component("a") + component("b", "suspend: true"))
    assert [p.ref.name for p in found.plans] == ["a"]
    assert "skipped: spec.suspend is true" in found.notes[0]


def test_all_problems_of_all_documents_are_told_together(schemas: Schemas) -> None:
    with pytest.raises(UserError) as caught:
        plan(schemas, component("a", "oops: 1") + component("b", "replicas: x"))
    assert len(caught.value.lines) == 2


def test_nothing_to_serve_is_told(schemas: Schemas) -> None:
    with pytest.raises(UserError, match="nothing to serve: no WasmComponent was found"):
        decide_plans(Reading(), schemas, Cache(Path("/nowhere")), Settings())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (component(more="policyRef: {name: nope}"), "PolicyNotFound"),
        (component() + policy("a", default="true") + policy("b", default="true"), "PolicyConflict"),
    ],
)
async def test_a_policy_that_cannot_be_chosen_is_that_components_failure(
    schemas: Schemas, text: str, reason: str
) -> None:
    (found,) = plan(schemas, text).plans
    with pytest.raises(Stalled) as caught:
        await found.discover()
    assert caught.value.reason == reason


async def test_a_component_that_asks_for_more_than_its_policy_allows_is_refused_without_asking_a_registry(
    schemas: Schemas,
) -> None:
    text = component(more="execution: {timeout: 31s}")
    (found,) = plan(schemas, text).plans
    with pytest.raises(Stalled) as caught:
        await found.discover()
    assert caught.value.reason == "ExceedsPolicy"
