"""Each thing that can go wrong has its own reason, and its message says what to do."""

import dataclasses
from typing import Any

import pytest

from tests.unit.operator import worlds
from tests.unit.operator.worlds import World, running
from wasmoor_operator import errors
from wasmoor_operator.decide import model
from wasmoor_operator.reasons import Reason
from wasmoor_runtime.contract.status import Reason as PodReason

OVERDUE = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}


def started(**spec: Any) -> World:
    """Return a world whose children are there and whose pods are not."""
    world = World(**spec)
    world.settle()
    return world


@pytest.mark.parametrize(
    "reason",
    [
        PodReason.ARTIFACT_NOT_FOUND,
        PodReason.CREDENTIALS_MISSING,
        PodReason.CREDENTIALS_FORBIDDEN,
        PodReason.DIGEST_MISMATCH,
        PodReason.ARTIFACT_TOO_LARGE,
        PodReason.NOT_A_COMPONENT,
        PodReason.COMPILE_FAILED,
        PodReason.UNSUPPORTED_INTERFACE,
        PodReason.PULL_FAILED,
        PodReason.CRASHED,
        PodReason.INTERNAL,
    ],
)
def test_what_a_pod_gave_up_on_is_the_reason(reason: PodReason) -> None:
    world = started()
    world.run_pods(ready=False, phase="Failed", reason=reason, message="what to do")
    world.step()
    for kind in ("Loaded", "Ready"):
        assert world.condition(kind) == ("False", reason.value)
    assert world.condition("Stalled") == ("True", reason.value)
    assert world.condition("Reconciling")[0] == "False"
    assert world.message("Ready") == "what to do"
    assert world.status["phase"] == "Failed"


@pytest.mark.parametrize("reason", [PodReason.NO_TOOLS, PodReason.TOOL_NAME_CONFLICT])
def test_a_component_without_tools_is_loaded_but_not_registered(reason: PodReason) -> None:
    world = started()
    world.run_pods(ready=False, phase="Failed", reason=reason, message="export a function")
    world.step()
    assert world.condition("Loaded") == ("True", "Loaded")
    assert world.condition("Registered") == ("False", reason.value)
    assert world.condition("Ready") == ("False", reason.value)
    assert world.condition("Stalled") == ("True", reason.value)


@pytest.mark.parametrize("reason", [PodReason.REGISTRY_UNAVAILABLE, PodReason.PULL_FAILED])
def test_what_a_pod_waits_for_is_unknown_and_tried_again(reason: PodReason) -> None:
    world = started()
    world.run_pods(ready=False, phase="Loading", reason=reason, message="trying again")
    plan = world.step()
    assert world.condition("Loaded") == ("Unknown", reason.value)
    assert world.condition("Reconciling") == ("True", reason.value)
    assert world.condition("Stalled")[0] == "False"
    assert plan.requeue_after == worlds.PACE.poll


def test_a_quota_that_refuses_pods_is_quota_exceeded() -> None:
    world = started()
    failure = {"type": "ReplicaFailure", "status": "True", "message": 'pods "x" is forbidden: exceeded quota: small'}
    world.count_pods(total=0, updated=0, ready=0, conditions=[failure])
    world.step()
    assert world.condition("Loaded") == ("False", "QuotaExceeded")
    assert world.condition("Stalled") == ("True", "QuotaExceeded")


def test_an_admission_that_refuses_pods_is_pod_rejected() -> None:
    world = started()
    failure = {"type": "ReplicaFailure", "status": "True", "message": "violates PodSecurity restricted"}
    world.count_pods(total=0, updated=0, ready=0, conditions=[failure])
    world.step()
    assert world.condition("Loaded") == ("False", "PodRejected")
    assert "violates PodSecurity" in world.message("Ready")


@pytest.mark.parametrize(("restarts", "stalled"), [(1, "False"), (3, "True")])
def test_a_container_killed_for_memory_is_out_of_memory(restarts: int, stalled: str) -> None:
    world = started()
    died = model.LastExit(reason="OOMKilled", exit_code=137)
    world.add_pod("new-0", world.hash, ready=False, restarts=restarts, last_exit=died)
    world.step()
    assert world.condition("Loaded") == ("False", "OutOfMemory")
    assert world.condition("Stalled")[0] == stalled
    assert "spec.resources.limits.memory" in world.message("Loaded")


def test_a_container_that_dies_is_crashed_and_restarting() -> None:
    world = started()
    died = model.LastExit(reason="Error", exit_code=139)
    world.add_pod("new-0", world.hash, ready=False, restarts=1, last_exit=died)
    world.step()
    assert world.condition("Loaded") == ("False", "Crashed")
    assert world.status["phase"] == "Restarting"
    assert "code 139" in world.message("Loaded")


def test_a_pod_without_a_node_is_waited_for_until_the_deadline() -> None:
    world = started()
    world.add_pod("new-0", world.hash, ready=False, trouble="it cannot be scheduled: 0/1 nodes are available")
    world.step()
    assert world.condition("Loaded") == ("Unknown", "PodsNotReady")
    assert world.condition("Stalled")[0] == "False"
    world.count_pods(total=1, updated=1, ready=0, conditions=[OVERDUE])
    world.step()
    assert world.condition("Stalled") == ("True", "PodsNotReady")
    assert "0/1 nodes are available" in world.message("Stalled")


def test_an_overdue_rollout_without_a_reason_still_stalls() -> None:
    world = started()
    world.count_pods(total=1, updated=1, ready=0, conditions=[OVERDUE])
    world.step()
    assert world.condition("Stalled") == ("True", "PodsNotReady")


def test_a_pod_that_cannot_be_asked_is_unknown_and_stops_nothing() -> None:
    world = running()
    world.change(reports={"new-0": model.Report(problem="no route to host")})
    world.step()
    assert world.condition("Loaded") == ("Unknown", "PodUnreachable")
    assert world.condition("Ready") == ("True", "Running")
    assert world.condition("Stalled")[0] == "False"
    assert world.status["artifact"]["digest"] == worlds.DIGEST


def test_a_handshake_that_fails_keeps_the_last_good_tools() -> None:
    world = running()
    world.register(world.hash, problem="HTTP 500")
    world.step()
    assert world.condition("Registered") == ("Unknown", "HandshakeFailed")
    assert world.condition("Ready") == ("True", "Running")
    assert world.status["toolCount"] == 1


def test_a_handshake_that_never_succeeded_leaves_ready_unknown() -> None:
    world = started()
    world.run_pods()
    world.register(world.hash, problem="HTTP 500")
    world.step()
    assert world.condition("Ready") == ("Unknown", "HandshakeFailed")
    assert "HTTP 500" in world.message("Ready")
    assert world.status["phase"] == "Registering"


def test_pods_that_lost_their_readiness_are_pods_not_ready() -> None:
    world = running()
    world.change(pods=tuple(dataclasses.replace(pod, ready=False) for pod in world.observed.pods))
    world.count_pods(total=1, updated=1, ready=0)
    world.step()
    assert world.condition("Ready")[0] == "False"


def test_a_spec_of_another_version_is_spec_invalid_and_stops_nothing() -> None:
    world = running()
    world.edit(surprise=1)
    plan = world.step()
    assert plan.children == ()
    assert world.condition("Resolved") == ("False", "SpecInvalid")
    assert world.condition("Ready") == ("True", "Degraded")
    assert "spec.surprise" in world.message("Stalled")


def test_a_reference_without_a_version_is_reference_invalid() -> None:
    world = World(source={"oci": {"reference": "registry.example/team/time"}})
    world.step()
    assert world.condition("Resolved") == ("False", "ReferenceInvalid")
    assert "neither a tag nor a digest" in world.message("Resolved")


def test_a_digest_behind_what_is_no_reference_is_not_run() -> None:
    world = World(source={"oci": {"reference": f"Not A Reference@{worlds.DIGEST}"}})
    assert world.step().children == ()
    assert world.condition("Resolved") == ("False", "ReferenceInvalid")


def test_a_digest_needs_no_registry() -> None:
    world = World(source={"oci": {"reference": f"registry.example/team/time@{worlds.OTHER_DIGEST}"}})
    world.change(resolution=None)
    plan = world.step()
    assert world.condition("Resolved") == ("True", "Resolved")
    assert len(plan.children) == 4


def test_a_policy_that_is_missing_is_policy_not_found() -> None:
    world = World(policyRef={"name": "restricted"})
    plan = world.step()
    assert plan.children == ()
    assert world.condition("PolicyApplied") == ("False", "PolicyNotFound")
    assert world.condition("Resolved") == ("True", "Resolved")
    assert world.condition("Stalled") == ("True", "PolicyNotFound")


def test_two_default_policies_are_a_conflict_and_neither_is_taken() -> None:
    world = World()
    policies = (worlds.read_policy("a", default=True), worlds.read_policy("b", default=True))
    world.change(policies=policies)
    assert world.step().children == ()
    assert world.condition("PolicyApplied") == ("False", "PolicyConflict")
    assert "a, b" in world.message("PolicyApplied")


def test_asking_for_more_than_the_policy_allows_names_both_values() -> None:
    world = World(execution={"timeout": "1m"})
    world.change(policies=(worlds.read_policy(default=True, limits={"executionTimeout": "5s"}),))
    assert world.step().children == ()
    assert world.condition("PolicyApplied") == ("False", "ExceedsPolicy")
    assert "1m" in world.message("PolicyApplied")
    assert "5s" in world.message("PolicyApplied")


def test_a_changed_policy_rolls_out_to_what_runs() -> None:
    world = running()
    before = world.hash
    world.change(policies=(worlds.read_policy(default=True, limits={"memory": "64Mi"}),))
    plan = world.step()
    assert [child.manifest["kind"] for child in plan.children] == ["ConfigMap", "Deployment"]
    assert world.hash != before
    assert world.status["policy"]["name"] == "restricted"
    assert world.condition("Ready") == ("True", "Running")


def test_a_policy_that_cannot_be_read_is_policy_invalid() -> None:
    world = World(policyRef={"name": "restricted"})
    world.change(policies=(worlds.read_policy(surprise=1),))
    world.step()
    assert world.condition("PolicyApplied") == ("False", "PolicyInvalid")


def test_a_version_that_serves_while_a_child_cannot_be_changed_is_degraded() -> None:
    world = running()
    world.change(apply_fault=errors.Waiting(Reason.QUOTA_EXCEEDED, "exceeded quota: configmaps", delay=30))
    world.step()
    assert world.condition("Ready") == ("True", "Degraded")
    assert world.condition("Reconciling") == ("True", "QuotaExceeded")


def test_a_paused_deployment_is_resumed_by_somebody() -> None:
    world = running()
    world.change(component=dataclasses.replace(world.observed.component, generation=2))
    deployment = world.children["Deployment", "time"]
    deployment["spec"]["paused"] = True
    deployment["status"]["updatedReplicas"] = 0
    world.step()
    assert world.condition("Stalled") == ("True", "PodsNotReady")
    assert "kubectl rollout resume deployment/time -n tools" in world.message("Stalled")
    assert world.condition("Ready") == ("True", "Degraded")
