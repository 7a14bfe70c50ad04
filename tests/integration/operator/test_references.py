"""What references name, by a real registry; and what people are told when they name nothing."""

from __future__ import annotations

import asyncio
import pathlib
import socket
from collections.abc import Iterator

import pytest

from tests.integration.operator.clusters import Operator, Site, wait_until
from tests.integration.operator.conftest import RunOperator
from tests.integration.sources import registries
from wasmoor_runtime.sources import push

pytestmark = pytest.mark.integration

# An empty component: preamble only.
EMPTY_COMPONENT = b"\0asm\x0d\x00\x01\x00"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with registries.run_registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


def push_component(folder: pathlib.Path, reference: str, *, note: str = "") -> str:
    """Push a component and return the manifest's digest; another note makes another digest."""
    file = folder / "component.wasm"
    file.write_bytes(EMPTY_COMPONENT)
    annotations = {"org.opencontainers.image.description": note}
    return asyncio.run(push.push(file, reference, insecure=True, annotations=annotations)).digest


def source(reference: str, **more: object) -> dict[str, object]:
    return {"oci": {"reference": reference, **more}}


def test_a_tag_becomes_the_digest_that_pods_pull(
    site: Site, operator: Operator, registry: str, tmp_path: pathlib.Path
) -> None:
    digest = push_component(tmp_path, f"{registry}/{site.name}/text:1")

    site.apply("text", source=source(f"{registry}/{site.name}/text:1"))

    wait_until(lambda: site.says("text", "Resolved", "True", "Resolved"), "Resolved")
    contract = wait_until(lambda: site.children("text").get("ConfigMap"), "the contract")
    assert contract is not None
    assert digest in contract["data"]["contract.json"]
    assert operator.process.poll() is None


def test_a_moving_tag_is_followed_where_that_is_asked_for(
    site: Site, operator: Operator, registry: str, tmp_path: pathlib.Path
) -> None:
    reference = f"{registry}/{site.name}/text:latest"
    push_component(tmp_path, reference, note="first")
    site.apply("text", source=source(reference, refresh="10s"))
    wait_until(lambda: site.deployment("text"), "the Deployment")
    before = site.contract("text")

    digest = push_component(tmp_path, reference, note="second")

    wait_until(lambda: site.contract("text") != before, "the new contract")
    wait_until(lambda: (site.component("text") or {})["status"]["artifact"]["digest"] == digest, "the new digest")
    assert operator.process.poll() is None


def test_a_tag_that_is_not_there_is_artifact_not_found(
    site: Site, operator: Operator, registry: str, tmp_path: pathlib.Path
) -> None:
    push_component(tmp_path, f"{registry}/{site.name}/text:1")

    site.apply("text", source=source(f"{registry}/{site.name}/text:2"))

    wait_until(lambda: site.says("text", "Resolved", "False", "ArtifactNotFound"), "the reason")
    assert site.says("text", "Stalled", "True", "ArtifactNotFound")
    assert f"{registry}/{site.name}/text:2" in site.condition("text", "Resolved")["message"]
    assert site.deployment("text") is None
    wait_until(lambda: any(e["type"] == "Warning" for e in site.events("text")), "a warning")
    assert operator.process.poll() is None


def test_a_registry_that_is_down_is_unknown_and_stops_nothing_that_runs(
    site: Site, operator: Operator, registry: str, tmp_path: pathlib.Path
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
    assert operator.process.poll() is None


def test_a_registry_that_hangs_does_not_hold_up_other_components(
    site: Site, operator: Operator, registry: str, tmp_path: pathlib.Path
) -> None:
    push_component(tmp_path, f"{registry}/{site.name}/text:1")
    with socket.create_server(("127.0.0.1", 0), backlog=64) as hanging:
        port = hanging.getsockname()[1]
        for number in range(20):
            site.apply(f"hanging-{number}", source=source(f"127.0.0.1:{port}/tools/text:{number}"))
        site.apply("text", source=source(f"{registry}/{site.name}/text:1"))

        wait_until(lambda: site.deployment("text"), "the Deployment", deadline=10)
    assert operator.process.poll() is None


def test_a_mirror_is_asked_in_place_of_the_registry(
    site: Site, run_operator: RunOperator, registry: str, tmp_path: pathlib.Path
) -> None:
    push_component(tmp_path, f"{registry}/{site.name}/text:1")
    with run_operator(f"--mirrors=registry.invalid=http://{registry}"):
        site.apply("text", source=source(f"registry.invalid/{site.name}/text:1"))

        wait_until(lambda: site.says("text", "Resolved", "True", "Resolved"), "Resolved")
    contract = site.children("text")["ConfigMap"]["data"]["contract.json"]
    assert f"http://{registry}" in contract
