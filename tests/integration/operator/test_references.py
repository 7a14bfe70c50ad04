"""What references name, by a real registry; and what people are told when they name nothing."""

from __future__ import annotations

import pathlib
import socket

import pytest

from tests.integration.operator.artifacts import push_component, source
from tests.integration.operator.clusters import Site, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("operator")]


def test_a_tag_becomes_the_digest_that_pods_pull(site: Site, registry: str, tmp_path: pathlib.Path) -> None:
    digest = push_component(tmp_path, f"{registry}/{site.name}/text:1")

    site.apply("text", source=source(f"{registry}/{site.name}/text:1"))

    wait_until(lambda: site.says("text", "Resolved", "True", "Resolved"), "Resolved")
    contract = wait_until(lambda: site.children("text").get("ConfigMap"), "the contract")
    assert contract is not None
    assert digest in contract["data"]["contract.json"]


def test_a_moving_tag_is_followed_where_that_is_asked_for(site: Site, registry: str, tmp_path: pathlib.Path) -> None:
    reference = f"{registry}/{site.name}/text:latest"
    push_component(tmp_path, reference, note="first")
    site.apply("text", source=source(reference, refresh="10s"))
    wait_until(lambda: site.deployment("text"), "the Deployment")
    before = site.contract("text")

    digest = push_component(tmp_path, reference, note="second")

    wait_until(lambda: site.contract("text") != before, "the new contract")
    wait_until(lambda: (site.component("text") or {})["status"]["artifact"]["digest"] == digest, "the new digest")


def test_a_tag_that_is_not_there_is_artifact_not_found(site: Site, registry: str, tmp_path: pathlib.Path) -> None:
    push_component(tmp_path, f"{registry}/{site.name}/text:1")

    site.apply("text", source=source(f"{registry}/{site.name}/text:2"))

    wait_until(lambda: site.says("text", "Resolved", "False", "ArtifactNotFound"), "the reason")
    assert site.says("text", "Stalled", "True", "ArtifactNotFound")
    assert f"{registry}/{site.name}/text:2" in site.condition("text", "Resolved")["message"]
    assert site.deployment("text") is None
    wait_until(lambda: any(e["type"] == "Warning" for e in site.events("text")), "a warning")


def test_a_registry_that_is_down_is_unknown_and_stops_nothing_that_runs(
    site: Site, registry: str, tmp_path: pathlib.Path
) -> None:
    push_component(tmp_path, f"{registry}/{site.name}/text:1")
    site.apply("text", source=source(f"{registry}/{site.name}/text:1"))
    wait_until(lambda: site.deployment("text"), "the Deployment")
    before = site.contract("text")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]

        site.apply("text", source=source(f"127.0.0.1:{port}/tools/text:1"))
        wait_until(lambda: site.says("text", "Resolved", "Unknown", "RegistryUnavailable"), "Unknown")

    assert site.contract("text") == before
    assert site.says("text", "Stalled", "False", "AsExpected")


def test_a_registry_that_hangs_does_not_hold_up_other_components(
    site: Site, registry: str, tmp_path: pathlib.Path
) -> None:
    push_component(tmp_path, f"{registry}/{site.name}/text:1")
    with socket.create_server(("127.0.0.1", 0), backlog=64) as hanging:
        port = hanging.getsockname()[1]
        for number in range(20):
            site.apply(f"hanging-{number}", source=source(f"127.0.0.1:{port}/tools/text:{number}"))
        site.apply("text", source=source(f"{registry}/{site.name}/text:1"))

        wait_until(lambda: site.deployment("text"), "the Deployment", deadline=10)
