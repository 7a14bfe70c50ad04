"""What a policy says of artifacts, and what pods say of components."""

from typing import Any

import pytest

from tests.unit.operator import worlds
from tests.unit.operator.worlds import World, running
from wasmoor_operator.api.status import WasmComponentStatus
from wasmoor_runtime.contract.document import Contract

ARTIFACT = {"digest": worlds.DIGEST, "layerDigest": worlds.OTHER_DIGEST, "mediaType": "application/wasm", "size": 9}
COMPONENT = {
    "name": "time",
    "version": "1.2.0",
    "language": "Rust",
    "imports": ["wasi:clocks/wall-clock@0.2.9"],
    "exports": ["get-time"],
}


def with_policy(**artifacts: Any) -> World:
    world = World(policyRef={"name": "restricted"})
    world.change(policies=(worlds.read_policy(artifacts=artifacts),))
    return world


def contract(world: World) -> Contract:
    stored = next(child for (kind, _), child in world.children.items() if kind == "ConfigMap")
    return Contract.model_validate_json(stored["data"]["contract.json"])


def pod_spec(world: World) -> dict[str, Any]:
    found: dict[str, Any] = world.children["Deployment", "time"]["spec"]["template"]["spec"]
    return found


def test_the_status_says_what_the_component_is_and_keeps_it_while_nobody_can_be_asked() -> None:
    world = running()
    world.run_pods(artifact=ARTIFACT, component=COMPONENT)
    world.settle()
    known = world.status["component"]
    world.change(reports={})
    world.settle()

    assert known == COMPONENT
    assert world.status["component"] == COMPONENT
    WasmComponentStatus.model_validate(world.status)


def test_what_is_not_known_of_a_component_is_left_out() -> None:
    world = running()
    world.run_pods(component={"name": "time"})
    world.settle()

    assert world.status["component"] == {"name": "time"}


def test_another_version_is_not_described_by_the_words_of_the_one_before() -> None:
    world = running()
    world.run_pods(artifact=ARTIFACT, component=COMPONENT)
    world.settle()
    world.edit(source={"oci": {"reference": "registry.example/team/time:2.0.0"}})
    world.resolve(worlds.OTHER_DIGEST)
    world.step()

    assert "component" not in world.status


def test_a_denied_digest_never_gets_pods() -> None:
    world = with_policy(denyDigests=[worlds.DIGEST])
    world.settle()

    assert world.condition("PolicyApplied") == ("False", "DigestDenied")
    assert world.condition("Ready") == ("False", "DigestDenied")
    assert world.condition("Stalled") == ("True", "DigestDenied")
    assert worlds.DIGEST in world.message("PolicyApplied")
    assert world.children == {}


def test_a_digest_that_is_denied_later_leaves_what_runs_and_says_so() -> None:
    world = with_policy()
    world.settle()
    world.run_pods()
    world.settle()
    before = contract(world)
    world.change(policies=(worlds.read_policy(artifacts={"denyDigests": [worlds.DIGEST]}),))
    world.settle()

    assert contract(world) == before
    assert world.condition("Ready") == ("True", "Degraded")
    assert world.condition("Stalled") == ("True", "DigestDenied")


def test_the_policy_s_rules_reach_the_pod_s_contract() -> None:
    world = with_policy(
        denyDigests=[worlds.OTHER_DIGEST], maxSize="1Mi", advisories={"name": "osv", "key": "advisories.json"}
    )
    world.settle()
    found = contract(world)

    assert found.artifacts.deny_digests == (worlds.OTHER_DIGEST,)
    assert found.source.max_bytes == 1024 * 1024
    assert found.artifacts.advisories is not None
    assert found.artifacts.advisories.key == "advisories.json"


def test_advisories_are_mounted_even_before_their_config_map_is_there() -> None:
    world = with_policy(advisories={"name": "osv", "key": "advisories.json"})
    world.settle()
    spec = pod_spec(world)
    container = spec["containers"][0]

    assert {"name": "advisories", "mountPath": "/etc/wasmoor-advisories", "readOnly": True} in container["volumeMounts"]
    assert "--advisories=/etc/wasmoor-advisories" in container["args"]
    source = next(volume["configMap"] for volume in spec["volumes"] if volume["name"] == "advisories")
    assert source == {
        "name": "osv",
        "items": [{"key": "advisories.json", "path": "advisories.json"}],
        "optional": True,
    }


def test_without_advisories_nothing_is_mounted() -> None:
    world = with_policy()
    world.settle()

    assert "advisories" not in str(pod_spec(world))


@pytest.mark.parametrize("reason", ["KnownVulnerability", "PackagesUnreadable", "DigestDenied", "ArtifactTooLarge"])
def test_what_a_pod_refuses_to_serve_is_told_and_the_version_before_goes_on(reason: str) -> None:
    world = running()
    old = world.hash
    world.edit(source={"oci": {"reference": "registry.example/team/time:2.0.0"}})
    world.resolve(worlds.OTHER_DIGEST)
    world.step()
    world.change(pods=(), reports={})
    world.add_pod("old-0", old, report={"phase": "Running", "reason": "Running", "ready": True})
    refusal = {"phase": "Failed", "reason": reason, "message": "it has RUSTSEC-1, fixed in 1.2.3"}
    world.add_pod("new-0", world.hash, ready=False, report=refusal)
    world.count_pods(total=2, updated=1, ready=1)
    world.settle()

    assert world.condition("Loaded") == ("False", reason)
    assert world.condition("Stalled") == ("True", reason)
    assert world.condition("Ready") == ("True", "Degraded")
    assert "RUSTSEC-1" in world.message("Stalled")


def test_a_policy_whose_size_cannot_be_meant_is_invalid() -> None:
    world = with_policy(maxSize="0")
    world.settle()

    assert world.condition("PolicyApplied") == ("False", "PolicyInvalid")
    assert world.children == {}


def test_functions_that_cannot_be_served_are_told_with_their_reasons_and_the_rest_is_served() -> None:
    world = running()
    odd = [{"name": f"make-{number}", "reason": "it uses a resource, which has no JSON form"} for number in range(5)]
    world.run_pods(unserved=odd)
    world.settle()

    assert world.condition("Registered") == ("True", "Registered")
    assert world.condition("Ready") == ("True", "Running")
    assert world.message("Registered") == (
        "1 tool listed by a pod of this version; not served are make-0: it uses a resource, which has no JSON form; "
        "make-1: it uses a resource, which has no JSON form; make-2: it uses a resource, which has no JSON form; "
        "and 2 more"
    )
