"""What becomes of an applied WasmComponent on a real API server."""

from __future__ import annotations

import time

import pytest

from tests.integration.operator.clusters import Site, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("operator")]

KINDS = {"ServiceAccount", "ConfigMap", "Deployment", "Service"}


def test_an_applied_component_gets_its_children_with_it_as_their_owner(site: Site) -> None:
    uid = site.apply("text")["metadata"]["uid"]

    children = wait_until(lambda: len(found := site.children("text")) == len(KINDS) and found, "all children")

    assert isinstance(children, dict)
    assert set(children) == KINDS
    for child in children.values():
        (owner,) = child["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["name"], owner["uid"], owner["controller"]) == (
            "WasmComponent",
            "text",
            uid,
            True,
        )


@pytest.mark.parametrize("kind", ["serviceaccounts/wasmoor-text", "services/text", "deployments/text"])
def test_a_deleted_child_comes_back(kind: str, site: Site) -> None:
    site.apply("text")
    wait_until(lambda: site.says("text", "Resolved", "True", "Resolved"), "the status")
    path = f"{site.apps if kind.startswith('deployments') else site.core}/{kind}"
    lost = wait_until(lambda: site.api.get(path), kind)
    assert lost is not None

    site.api.delete(path)

    back = wait_until(
        lambda: (found := site.api.get(path)) and found["metadata"]["uid"] != lost["metadata"]["uid"] and found, kind
    )
    assert back


def test_a_deleted_contract_comes_back(site: Site) -> None:
    site.apply("text")
    lost = wait_until(lambda: site.children("text").get("ConfigMap"), "the contract")
    assert lost is not None
    wait_until(lambda: site.says("text", "Resolved", "True", "Resolved"), "the status")

    site.api.delete(f"{site.core}/configmaps/{lost['metadata']['name']}")

    def found() -> bool:
        there = site.children("text").get("ConfigMap")
        return there is not None and there["metadata"]["uid"] != lost["metadata"]["uid"]

    wait_until(found, "the contract again")
    assert site.children("text")["ConfigMap"]["data"] == lost["data"]


def test_an_edited_child_is_put_right(site: Site) -> None:
    site.apply("text")
    wait_until(lambda: site.says("text", "Resolved", "True", "Resolved"), "the status")
    path = f"{site.apps}/deployments/text"

    containers = [{"name": "runtime", "image": "evil.test/image:1"}]
    patch = {"spec": {"template": {"spec": {"containers": containers}}}}
    site.api.request("PATCH", path, patch, "application/strategic-merge-patch+json")

    def image() -> str:
        found = site.deployment("text")
        assert found is not None
        return str(found["spec"]["template"]["spec"]["containers"][0]["image"])

    wait_until(lambda: image() == "runtime.test/wasmoor:1", "our image again")


def test_a_changed_spec_reaches_the_deployment_with_a_contract_of_its_own(site: Site) -> None:
    site.apply("text")
    wait_until(lambda: site.says("text", "Resolved", "True", "Resolved"), "the status")
    before = site.contract("text")

    site.apply("text", tools={"include": ["get-*"]})

    wait_until(lambda: site.contract("text") != before, "the new contract")
    names = {
        item["metadata"]["name"]
        for item in site.api.request("GET", f"{site.core}/configmaps")["items"]
        if item["metadata"]["name"].startswith("text-contract-")
    }
    # The old one stays until no pod can want it any more.
    assert names == {f"text-contract-{before}", f"text-contract-{site.contract('text')}"}


def test_a_deleted_component_takes_its_children_with_it(site: Site) -> None:
    site.apply("text")
    wait_until(lambda: len(site.children("text")) == len(KINDS), "all children")

    site.api.delete(f"{site.ours}/wasmcomponents/text")

    # The garbage collector looks for new kinds every half a minute.
    wait_until(lambda: not site.children("text"), "the children to go", deadline=120)
    time.sleep(0.5)  # long enough for a child that is wrongly made again to show
    assert site.component("text") is None
    assert not site.children("text")


def test_the_same_name_can_be_deleted_and_applied_at_once(site: Site) -> None:
    site.apply("text")
    wait_until(lambda: len(site.children("text")) == len(KINDS), "all children")

    site.api.delete(f"{site.ours}/wasmcomponents/text")
    uid = site.apply("text")["metadata"]["uid"]

    def owned() -> bool:
        found = site.children("text")
        return set(found) == KINDS and all(
            child["metadata"]["ownerReferences"][0]["uid"] == uid for child in found.values()
        )

    wait_until(owned, "children of the new one")


def test_objects_that_cannot_be_understood_stop_no_others(site: Site, definition_without_schema: None) -> None:
    del definition_without_schema
    for name, spec in {
        "no-source": {},
        "a-number": {"source": 5},
        "unknown": {"source": {"oci": {"reference": "a/b:1"}}, "flavour": "sweet"},
        "huge": {"source": {"oci": {"reference": "x" * 5000}}},
    }.items():
        manifest = {"apiVersion": "wasmoor.dev/v1alpha1", "kind": "WasmComponent", "metadata": {"name": name}}
        site.api.create(f"{site.ours}/wasmcomponents", {**manifest, "spec": spec})
    site.apply("good")

    wait_until(lambda: site.deployment("good"), "the good one")
    for name in ("no-source", "a-number", "unknown", "huge"):
        wait_until(lambda n=name: site.says(n, "Stalled", "True", "SpecInvalid"), name)  # type: ignore[misc]
    assert "flavour" in site.condition("unknown", "Stalled")["message"]
