"""One component's life, from first sight to deletion, as decisions see it."""

import dataclasses

import pytest

from tests.unit.operator import worlds
from tests.unit.operator.worlds import World, running
from wasmoor_operator import errors
from wasmoor_operator.decide import component, model
from wasmoor_operator.reasons import Reason

NOT_THERE = errors.Stalled(Reason.ARTIFACT_NOT_FOUND, "registry.example has no tag 1.2.0 of team/time; push it")
DOWN = errors.Waiting(Reason.REGISTRY_UNAVAILABLE, "registry.example does not answer", delay=5.0)
NEW = "registry.example/team/time:2.0.0"


def new_source(reference: str = NEW) -> dict[str, object]:
    return {"source": {"oci": {"reference": reference}}}


def test_at_first_sight_ready_is_unknown_and_pending() -> None:
    world = World()
    world.change(resolution=None)
    plan = world.step()
    assert world.condition("Ready") == ("Unknown", "Pending")
    assert world.condition("Reconciling") == ("True", "Pending")
    assert world.status["phase"] == "Discovering"
    assert plan.children == ()
    assert plan.events == ()


def test_a_resolved_component_gets_all_its_children_in_order() -> None:
    world = World()
    plan = world.step()
    assert [(child.stage, child.manifest["kind"]) for child in plan.children] == [
        (0, "ServiceAccount"),
        (0, "ConfigMap"),
        (1, "Deployment"),
        (1, "Service"),
    ]
    assert not any(child.force for child in plan.children)
    assert world.condition("Resolved") == ("True", "Resolved")
    assert world.condition("Ready") == ("False", "Loading")
    assert world.status["phase"] == "Loading"
    assert world.status["artifact"] == {
        "reference": worlds.REFERENCE,
        "digest": worlds.DIGEST,
        "resolvedAt": "2026-03-01T12:00:00Z",
    }


def test_a_component_whose_tools_were_listed_is_ready() -> None:
    world = running(replicas=2)
    assert world.condition("Loaded") == ("True", "Loaded")
    assert world.condition("Registered") == ("True", "Registered")
    assert world.condition("Ready") == ("True", "Running")
    assert world.condition("Reconciling") == ("False", "AsExpected")
    assert world.status["phase"] == "Running"
    assert world.status["pods"] == "2/2"
    assert world.status["toolCount"] == 1
    assert world.status["tools"] == [{"name": "get-time", "description": "get-time does it"}]
    assert world.status["endpoint"] == "http://time.tools.svc:8080/mcp"
    assert world.status["selector"] == "wasmoor.dev/component=time"


def test_nothing_to_do_writes_nothing_and_tells_nothing() -> None:
    world = running()
    world.pass_time(100)
    plan = world.step()
    assert plan == model.Plan(requeue_after=worlds.PACE.resync)


def test_a_restart_of_the_operator_writes_nothing() -> None:
    world = running()
    world.change(resolution=None, reports={}, registrations={})
    assert world.step().status is None


def test_a_restart_of_the_operator_beside_a_failed_component_writes_nothing() -> None:
    world = World()
    world.settle()
    world.run_pods(ready=False, phase="Failed", reason="CompileFailed", message="bad section")
    world.settle()
    world.change(resolution=None, reports={}, registrations={})
    assert world.step().status is None


def test_the_first_running_is_told_once() -> None:
    world = World()
    world.settle()
    world.run_pods()
    assert [event.reason for event in world.step().events] == ["Running"]
    assert world.step().events == ()


def test_a_deleted_child_comes_back_alone() -> None:
    world = running()
    del world.children["Service", "time"]
    world.change(children=tuple(world.children.values()))
    plan = world.step()
    assert [child.manifest["kind"] for child in plan.children] == ["Service"]


def test_a_changed_child_is_put_right_by_force() -> None:
    world = running()
    world.children["Deployment", "time"]["spec"]["template"]["spec"]["containers"][0]["image"] = "evil:1"
    plan = world.step()
    assert [(child.manifest["kind"], child.force) for child in plan.children] == [("Deployment", True)]


def test_a_number_of_pods_that_an_autoscaler_set_is_left_alone() -> None:
    world = running()
    world.children["Deployment", "time"]["spec"]["replicas"] = 5
    assert world.step().children == ()
    assert world.status["pods"] == "1/5"


def test_a_child_of_an_earlier_component_of_the_same_name_is_waited_for() -> None:
    world = World()
    world.step()
    world.children["Deployment", "time"]["metadata"]["ownerReferences"][0]["uid"] = "another"
    plan = world.step()
    assert plan.children == ()
    assert world.condition("Reconciling") == ("True", "NameTaken")
    assert world.condition("Ready") == ("False", "NameTaken")
    assert plan.requeue_after == worlds.PACE.poll


def test_a_tag_that_is_not_there_is_artifact_not_found() -> None:
    world = World()
    world.resolve(fault=NOT_THERE)
    plan = world.step()
    assert plan.children == ()
    assert world.condition("Resolved") == ("False", "ArtifactNotFound")
    assert world.condition("Stalled") == ("True", "ArtifactNotFound")
    assert world.condition("Ready") == ("False", "ArtifactNotFound")
    assert world.status["phase"] == "Failed"
    assert [(event.warning, event.reason) for event in plan.events] == [(True, "ArtifactNotFound")]
    assert plan.requeue_after == worlds.PACE.stalled


def test_a_registry_that_is_down_is_unknown_and_asked_again() -> None:
    world = World()
    world.resolve(fault=DOWN)
    plan = world.step()
    assert world.condition("Resolved") == ("Unknown", "RegistryUnavailable")
    assert world.condition("Ready") == ("Unknown", "RegistryUnavailable")
    assert world.condition("Stalled") == ("False", "AsExpected")
    assert plan.requeue_after == worlds.PACE.poll


@pytest.mark.parametrize("fault", [NOT_THERE, DOWN])
def test_what_runs_goes_on_when_a_new_reference_cannot_be_resolved(fault: errors.OperatorFault) -> None:
    world = running()
    world.edit(**new_source())
    world.resolve(fault=fault)
    plan = world.step()
    assert plan.children == ()
    assert plan.prune == ()
    assert world.condition("Ready")[0] == "True"
    assert world.condition("Loaded") == ("True", "Loaded")
    assert world.status["artifact"]["reference"] == worlds.REFERENCE
    world.settle()


def test_a_deleted_deployment_comes_back_while_the_new_reference_cannot_be_resolved() -> None:
    world = running()
    before = world.hash
    world.edit(**new_source())
    world.resolve(fault=NOT_THERE)
    world.settle()
    del world.children["Deployment", "time"]
    world.change(children=tuple(world.children.values()))
    plan = world.step()
    assert [child.manifest["kind"] for child in plan.children] == ["Deployment"]
    assert world.hash == before


def test_a_new_reference_that_is_not_there_degrades() -> None:
    world = running()
    world.edit(**new_source())
    world.resolve(fault=NOT_THERE)
    world.step()
    assert world.status["phase"] == "Degraded"
    assert world.condition("Ready") == ("True", "Degraded")
    assert world.condition("Stalled") == ("True", "ArtifactNotFound")
    assert "push it" in world.message("Ready")


def test_other_changes_take_effect_while_the_new_reference_cannot_be_resolved() -> None:
    world = running()
    world.edit(**new_source(), replicas=3, service={"port": 80})
    world.resolve(fault=NOT_THERE)
    plan = world.step()
    assert [child.manifest["kind"] for child in plan.children] == ["Deployment", "Service"]
    assert plan.children[0].manifest["spec"]["replicas"] == 3
    assert world.hash == plan.children[0].manifest["spec"]["template"]["metadata"]["labels"]["wasmoor.dev/contract"]


def test_a_registry_that_goes_down_later_changes_nothing_but_resolved() -> None:
    world = running()
    world.resolve(fault=DOWN)
    plan = world.step()
    assert plan.children == ()
    assert world.condition("Resolved") == ("Unknown", "RegistryUnavailable")
    assert world.condition("Ready") == ("True", "Running")
    assert world.condition("Reconciling") == ("False", "AsExpected")
    assert worlds.DIGEST in world.message("Resolved")


def test_a_moved_tag_is_rolled_out_beside_what_runs() -> None:
    world = running()
    old = world.hash
    world.resolve(worlds.OTHER_DIGEST)
    plan = world.step()
    assert [child.manifest["kind"] for child in plan.children] == ["ConfigMap", "Deployment"]
    assert plan.prune == ()
    assert world.hash != old
    assert world.condition("Ready") == ("True", "Running")
    assert world.condition("Reconciling")[0] == "True"
    assert [event.reason for event in plan.events] == ["Resolved"]


def test_a_failed_new_version_leaves_the_old_one_serving() -> None:
    world = running()
    old = world.hash
    world.resolve(worlds.OTHER_DIGEST)
    world.step()
    failed = {"phase": "Failed", "reason": "CompileFailed", "message": "byte 42: unknown section; build it again"}
    world.add_pod("new-1", world.hash, ready=False, report=failed)
    world.count_pods(total=2, updated=1, ready=1)
    plan = world.step()
    assert world.condition("Loaded") == ("False", "CompileFailed")
    assert world.condition("Stalled") == ("True", "CompileFailed")
    assert world.condition("Ready") == ("True", "Degraded")
    assert world.status["phase"] == "Degraded"
    assert world.status["tools"], "the tools that are served stay listed"
    assert "CompileFailed" in [event.reason for event in plan.events if event.warning]
    world.settle()
    assert ("ConfigMap", f"time-contract-{old}") in world.children


def test_the_old_contract_goes_when_no_pod_can_want_it_again() -> None:
    world = running()
    old = world.hash
    world.resolve(worlds.OTHER_DIGEST)
    world.step()
    world.run_pods()
    world.add_pod("old-0", old, deleting=True)
    assert world.step().prune == ()
    world.run_pods()
    assert [ref.name for ref in world.step().prune] == [f"time-contract-{old}"]


def test_a_contract_stays_while_its_pods_may_come_back() -> None:
    world = running()
    old = world.hash
    world.resolve(worlds.OTHER_DIGEST)
    world.step()
    world.run_pods(ready=False, phase="Loading", reason="Loading")
    world.count_pods(total=2, updated=1, ready=0)
    world.settle()
    assert ("ConfigMap", f"time-contract-{old}") in world.children


def test_pods_that_are_going_do_not_serve() -> None:
    world = running()
    world.change(pods=tuple(dataclasses.replace(pod, deleting=True) for pod in world.observed.pods))
    world.count_pods(total=1, updated=1, ready=0)
    world.step()
    assert world.condition("Ready")[0] == "False"


def test_a_pod_that_is_not_ready_yet_does_not_make_it_loaded() -> None:
    world = World()
    world.settle()
    world.run_pods(ready=False, phase="Running", reason="Running")
    world.step()
    assert world.condition("Loaded")[0] == "Unknown"


def test_what_was_said_of_another_digest_is_not_kept_over_a_restart() -> None:
    world = running()
    world.resolve(worlds.OTHER_DIGEST)
    plan = worlds.decide(world.observed)
    for child in plan.children:
        world.children[child.manifest["kind"], child.manifest["metadata"]["name"]] = {
            **child.manifest,
            "status": {},
        }
    world.children["Deployment", "time"]["metadata"]["generation"] = 2
    world.change(pods=(), reports={}, registrations={}, children=tuple(world.children.values()))
    world.add_pod("new-0", world.hash, ready=True)
    world.step()
    assert world.condition("Loaded")[0] == "Unknown"


def test_without_its_service_a_component_is_not_ready() -> None:
    world = running()
    world.change(children=tuple(child for key, child in world.children.items() if key[0] != "Service"))
    plan = worlds.decide(world.observed)
    assert plan.status is not None
    ready = next(item for item in plan.status["conditions"] if item["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "PodsNotReady")
    assert "Service" in ready["message"]


def test_waiting_for_a_registry_is_work_in_hand() -> None:
    world = running()
    world.edit(**new_source())
    world.resolve(fault=DOWN)
    world.step()
    assert world.condition("Reconciling") == ("True", "RegistryUnavailable")
    assert world.condition("Ready") == ("True", "Running")


def test_one_failure_is_told_once() -> None:
    world = World()
    world.settle()
    world.run_pods(ready=False, phase="Failed", reason="CompileFailed", message="bad section")
    assert [event.reason for event in world.step().events] == ["CompileFailed"]


def test_a_status_holds_a_bounded_part_of_many_tools() -> None:
    world = running()
    tools = tuple(model.Tool(name=f"t{number:03}", description="x" * 1000) for number in range(100))
    world.change(registrations={world.hash: model.Registration(pod="new-0", tools=tools, tools_hash="sha256:2")})
    world.step()
    assert len(world.status["tools"]) == 64
    assert {len(tool["description"]) for tool in world.status["tools"]} == {256}
    assert world.status["toolCount"] == 100


def test_going_back_to_the_version_before_is_a_rollout_like_any_other() -> None:
    world = running()
    old = world.hash
    world.resolve(worlds.OTHER_DIGEST)
    world.step()
    world.resolve(worlds.DIGEST)
    plan = world.step()
    assert [child.manifest["kind"] for child in plan.children] == ["Deployment"]
    assert world.hash == old


def test_a_suspended_component_has_no_pods_and_keeps_what_it_knew() -> None:
    world = running()
    world.edit(suspend=True)
    world.resolve()
    world.step()
    world.change(pods=(), reports={}, registrations={})
    world.count_pods(total=0, updated=0, ready=0)
    world.settle()
    assert world.children["Deployment", "time"]["spec"]["replicas"] == 0
    assert world.status["phase"] == "Suspended"
    assert world.condition("Ready") == ("False", "Suspended")
    assert world.condition("Reconciling") == ("False", "AsExpected")
    assert world.status["toolCount"] == 1
    assert world.status["pods"] == "0/0"


def test_too_few_pods_degrade_what_still_serves() -> None:
    world = running(replicas=2)
    ready = world.observed.pods[0]
    died = model.LastExit(reason="OOMKilled", exit_code=137, finished_at="2026-03-01T12:05:00Z")
    broken = dataclasses.replace(world.observed.pods[1], ready=False, restarts=1, last_exit=died)
    world.change(pods=(ready, broken))
    world.count_pods(total=2, updated=2, ready=1)
    plan = world.step()
    assert world.condition("Ready") == ("True", "Degraded")
    assert world.status["pods"] == "1/2"
    assert world.status["restarts"] == {
        "count": 1,
        "lastReason": "OutOfMemory",
        "lastMessage": "the pod new-1 was killed at its memory limit; raise spec.resources.limits.memory or lower the "
        "policy's limits.memory",
        "lastTime": "2026-03-01T12:05:00Z",
    }
    assert "OutOfMemory" in [event.reason for event in plan.events if event.warning]


def test_a_refused_child_is_said_and_stops_nothing() -> None:
    world = running()
    world.change(apply_fault=errors.Stalled(Reason.POD_REJECTED, "spec.template.spec.x: Invalid value"))
    world.step()
    assert world.condition("Stalled") == ("True", "PodRejected")
    assert world.condition("Ready") == ("True", "Degraded")


def test_rights_that_are_missing_are_waited_for() -> None:
    world = World()
    world.change(apply_fault=errors.Waiting(Reason.FORBIDDEN, "cannot create deployments", delay=30))
    world.step()
    assert world.condition("Reconciling") == ("True", "Forbidden")
    assert world.condition("Ready") == ("False", "Forbidden")


def test_a_component_that_is_going_says_so_and_wants_nothing() -> None:
    world = running()
    world.change(component=dataclasses.replace(world.observed.component, deleting=True, generation=2))
    plan = world.step()
    assert plan.children == ()
    assert plan.requeue_after is None
    assert world.status["phase"] == "Stopping"
    assert world.condition("Ready") == ("False", "Terminated")
    assert world.step().status is None


def test_a_component_that_goes_before_it_was_seen_needs_no_status() -> None:
    world = World()
    world.change(component=dataclasses.replace(world.observed.component, deleting=True))
    assert component.decide_component(world.observed, worlds.RENDER, worlds.PACE) == model.Plan()
