"""Policies bind components, and a changed one reaches them."""

from __future__ import annotations

import json

import pytest

from tests.integration.operator.clusters import Site, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("operator")]


def limits(site: Site, name: str) -> dict[str, object]:
    """Return the limits in the contract that the Deployment names now."""
    found = site.api.get(f"{site.core}/configmaps/{name}-contract-{site.contract(name)}")
    assert found is not None
    contract: dict[str, dict[str, object]] = json.loads(found["data"]["contract.json"])
    return contract["limits"]


def test_a_changed_policy_rolls_every_component_it_binds(site: Site) -> None:
    site.apply_policy("small", limits={"memory": "64Mi"})
    for name in ("one", "two"):
        site.apply(name, policyRef={"name": "small"})
    for name in ("one", "two"):
        wait_until(lambda n=name: site.deployment(n), "the Deployment")  # type: ignore[misc]
        assert limits(site, name)["memoryBytes"] == 64 * 1024 * 1024

    site.apply_policy("small", limits={"memory": "32Mi"})

    for name in ("one", "two"):
        wait_until(lambda n=name: limits(site, n)["memoryBytes"] == 32 * 1024 * 1024, "the new limit")  # type: ignore[misc]


def test_a_policy_says_how_many_components_it_binds(site: Site) -> None:
    site.apply_policy("small", limits={"memory": "64Mi"})
    site.apply("one", policyRef={"name": "small"})

    def bound() -> object:
        found = site.api.get(f"{site.ours}/componentpolicies/small")
        return (found or {}).get("status", {}).get("boundComponents")

    wait_until(lambda: bound() == 1, "one bound component")
    site.apply("two", policyRef={"name": "small"})
    wait_until(lambda: bound() == 2, "two bound components")
    site.api.delete(f"{site.ours}/wasmcomponents/one")
    wait_until(lambda: bound() == 1, "one bound component again")


def test_a_missing_policy_is_told_and_its_arrival_noticed(site: Site) -> None:
    site.apply("text", policyRef={"name": "absent"})
    wait_until(lambda: site.says("text", "PolicyApplied", "False", "PolicyNotFound"), "the reason")
    assert site.deployment("text") is None

    site.apply_policy("absent", limits={})

    wait_until(lambda: site.deployment("text"), "the Deployment")
    wait_until(lambda: site.says("text", "PolicyApplied", "True", "PolicyApplied"), "the condition")


def test_two_default_policies_conflict_until_one_gives_way(site: Site) -> None:
    site.apply_policy("first", default=True)
    site.apply_policy("second", default=True)
    site.apply("text")
    wait_until(lambda: site.says("text", "PolicyApplied", "False", "PolicyConflict"), "the conflict")

    site.apply_policy("second", default=False)

    wait_until(lambda: site.deployment("text"), "the Deployment")
