"""Sources other than registries: what is asked about them, what is said about them, and what pods get."""

from typing import Any

import pytest

from tests.unit.operator import worlds
from wasmoor_operator import errors
from wasmoor_operator.decide import model, resolution
from wasmoor_operator.reasons import Reason
from wasmoor_runtime.contract.document import Contract

HASH = "b" * 64
HTTP = {"http": {"url": "https://files.example/time.wasm?signature=secret", "sha256": HASH}}
CONFIG_MAP = {"configMap": {"name": "time-wasm", "key": "time.wasm"}}
PINNED_MAP = {"configMap": {"name": "time-wasm", "key": "time.wasm", "sha256": HASH}}
FILE = {"file": {"path": "/components/time.wasm"}}
PULLED = {
    "digest": "sha256:" + HASH,
    "layerDigest": "sha256:" + HASH,
    "mediaType": "application/wasm",
    "size": 8,
}


def answer(version: str = "7", fault: errors.OperatorFault | None = None, generation: int = 1) -> model.Resolution:
    """Return what the API server said about the ConfigMap."""
    return model.Resolution(
        reference="configmap/time-wasm",
        generation=generation,
        attempted_at=worlds.NOW,
        version="" if fault else version,
        fault=fault,
    )


def world(source: dict[str, Any], resolution: model.Resolution | None = None) -> worlds.World:
    found = worlds.World(source=source)
    found.change(resolution=resolution)
    return found


def contract(found: worlds.World) -> Contract:
    texts = [child["data"]["contract.json"] for (kind, _), child in found.children.items() if kind == "ConfigMap"]
    return next(each for each in map(Contract.model_validate_json, texts) if each.hash() == found.hash)


def volumes(found: worlds.World) -> dict[str, Any]:
    pod = found.children["Deployment", "time"]["spec"]["template"]["spec"]
    mounts = {each["name"]: each for each in pod["containers"][0]["volumeMounts"]}
    return {each["name"]: (each, mounts[each["name"]]) for each in pod["volumes"]}


@pytest.mark.parametrize("source", [HTTP, PINNED_MAP, FILE])
def test_what_is_pinned_and_what_only_pods_see_is_asked_of_nobody(source: dict[str, Any]) -> None:
    component = worlds.read_component(source=source)
    assert not resolution.is_due(component, None, worlds.NOW, worlds.PACE)
    found = world(source)
    found.settle()
    assert found.condition("Resolved") == ("True", "Resolved")
    assert resolution.seconds_until_due(found.observed, worlds.PACE) is None


def test_a_url_is_resolved_to_its_hash_and_its_query_is_not_shown() -> None:
    found = world(HTTP)
    found.settle()
    assert found.message("Resolved") == f"https://files.example/time.wasm is sha256:{HASH}"
    assert found.status["artifact"]["reference"] == "https://files.example/time.wasm"
    assert found.status["artifact"]["digest"] == f"sha256:{HASH}"
    assert "secret" not in str(found.status)
    assert contract(found).source.model_dump()["url"].endswith("?signature=secret")


def test_a_file_is_read_by_pods_and_its_digest_is_known_once_one_has() -> None:
    found = world(FILE)
    found.settle()
    assert found.message("Resolved") == "/components/time.wasm is read by pods; pods find out its digest"
    assert "digest" not in found.status["artifact"]
    found.run_pods(artifact=PULLED)
    found.settle()
    assert found.condition("Ready") == ("True", "Running")
    assert found.status["artifact"]["digest"] == f"sha256:{HASH}"
    assert found.message("Loaded") == f"sha256:{HASH} is loaded"
    found.change(reports={})
    found.settle()
    assert found.status["artifact"]["digest"] == f"sha256:{HASH}", "what is known stays known"


def test_a_config_map_is_waited_for_until_the_api_server_has_answered() -> None:
    found = world(CONFIG_MAP)
    found.step()
    assert found.condition("Resolved") == ("Unknown", "Pending")
    assert "configmap/time-wasm" in found.message("Resolved")
    assert ("Deployment", "time") not in found.children
    assert resolution.is_due(found.observed.component, None, worlds.NOW, worlds.PACE)


def test_a_config_map_is_mounted_and_its_version_is_in_the_contract() -> None:
    found = world(CONFIG_MAP, answer())
    found.settle()
    assert found.message("Resolved") == "configmap/time-wasm is there in version 7; pods find out its digest"
    assert found.status["artifact"]["version"] == "7"
    source = contract(found).source.model_dump()
    assert (source["version"], source["digest"]) == ("7", None)
    volume, mount = volumes(found)["component"]
    assert volume["configMap"] == {"name": "time-wasm", "optional": True}
    assert mount["readOnly"] is True
    assert source["path"] == f"{mount['mountPath']}/time.wasm"


def test_a_changed_config_map_is_rolled_out() -> None:
    found = world(CONFIG_MAP, answer())
    found.settle()
    found.run_pods(artifact=PULLED)
    found.settle()
    before = found.hash
    found.change(resolution=answer("8"))
    assert [event.message for event in found.step().events if event.reason == "Resolved"] == [
        "configmap/time-wasm is now version 8, was version 7"
    ]
    found.settle()
    assert found.hash != before
    assert found.status["artifact"]["version"] == "8"
    assert "digest" not in found.status["artifact"], "nobody has read the new version"


def test_another_file_in_a_pinned_config_map_changes_nothing() -> None:
    found = world(PINNED_MAP)
    found.settle()
    assert contract(found).source.digest == f"sha256:{HASH}"
    assert contract(found).source.model_dump()["version"] == ""


def test_a_config_map_that_is_gone_stops_nothing_that_runs() -> None:
    found = world(CONFIG_MAP, answer())
    found.settle()
    found.run_pods(artifact=PULLED)
    found.settle()
    before = found.hash
    found.change(resolution=answer(fault=errors.Stalled(Reason.ARTIFACT_NOT_FOUND, "it is not there")))
    found.settle()
    assert found.condition("Resolved") == ("False", "ArtifactNotFound")
    assert found.message("Resolved") == "it is not there; version 7 is kept until then"
    assert found.hash == before
    assert found.status["artifact"]["version"] == "7"
    assert found.condition("Ready")[0] == "True"


def test_a_config_map_is_asked_for_again_soon_whatever_was_said() -> None:
    found = world(CONFIG_MAP, answer())
    component = found.observed.component
    for last in (answer(), answer(fault=errors.Stalled(Reason.ARTIFACT_NOT_FOUND, "it is not there"))):
        assert not resolution.is_due(component, last, found.observed.now, worlds.PACE)
        found.pass_time(worlds.PACE.config_map)
        assert resolution.is_due(component, last, found.observed.now, worlds.PACE)
        found.pass_time(-worlds.PACE.config_map)


def test_an_operator_that_starts_again_keeps_the_version_until_it_knows_better() -> None:
    found = world(CONFIG_MAP, answer())
    found.settle()
    found.run_pods(artifact=PULLED)
    found.settle()
    before, writes = found.hash, found.writes
    found.change(resolution=None)
    found.settle()
    assert (found.hash, found.writes) == (before, writes)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (
            {"http": {"url": "https://me:secret@h/x", "sha256": HASH}},
            "spec.source.http.url: 'https://h/x' holds a user",
        ),
        ({"file": {"path": "time.wasm"}}, "spec.source.file.path: 'time.wasm' is no absolute path"),
    ],
)
def test_what_cannot_be_asked_for_is_reference_invalid(source: dict[str, Any], told: str) -> None:
    found = world(source)
    found.settle()
    assert found.condition("Resolved") == ("False", "ReferenceInvalid")
    assert told in found.message("Resolved")
    assert "secret" not in str(found.status)


@pytest.mark.parametrize("source", [{}, {**HTTP, **FILE}])
def test_a_spec_with_another_number_of_sources_is_told_what_to_write(source: dict[str, Any]) -> None:
    found = world(source)
    found.settle()
    assert found.condition("Resolved") == ("False", "SpecInvalid")
    assert "source needs exactly one member: write oci:" in found.message("Resolved")


def test_a_policy_that_an_artifact_carries_is_said_not_to_be_applied() -> None:
    found = worlds.running()
    found.run_pods(artifact={**PULLED, "digest": worlds.DIGEST, "policyDigest": "sha256:" + "c" * 64})
    found.settle()
    assert found.status["artifact"]["policyDigest"] == "sha256:" + "c" * 64
    assert found.message("Loaded") == f"{worlds.DIGEST} is loaded; the policy that it carries is not applied"
