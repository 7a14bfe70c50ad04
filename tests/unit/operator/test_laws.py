"""Whatever is observed, in whatever order: the laws of conditions hold, and what serves goes on serving."""

import dataclasses
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.operator import worlds
from tests.unit.operator.worlds import World
from wasmoor_operator import errors
from wasmoor_operator.decide import model
from wasmoor_operator.reasons import Reason
from wasmoor_runtime.contract.status import Phase
from wasmoor_runtime.contract.status import Reason as PodReason

FAULTS = st.sampled_from(
    [
        errors.Stalled(Reason.ARTIFACT_NOT_FOUND, "push it"),
        errors.Waiting(Reason.REGISTRY_UNAVAILABLE, "no answer", delay=5.0),
        errors.Stalled(Reason.CREDENTIALS_FORBIDDEN, "ask for access"),
    ]
)
APPLY_FAULTS = st.sampled_from(
    [
        None,
        errors.Stalled(Reason.POD_REJECTED, "invalid"),
        errors.Waiting(Reason.FORBIDDEN, "no right", delay=30.0),
        errors.Waiting(Reason.QUOTA_EXCEEDED, "exceeded quota", delay=30.0),
    ]
)
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "source": st.sampled_from(
            [
                {"oci": {"reference": "registry.example/team/other:2"}},
                {"oci": {"reference": "registry.example/team/other", "refresh": "10m"}},
                {"oci": {"reference": f"registry.example/team/time@{worlds.OTHER_DIGEST}"}},
                {"oci": {"reference": worlds.REFERENCE, "refresh": "10s"}},
            ]
        ),
        "replicas": st.integers(0, 3),
        "suspend": st.booleans(),
        "policyRef": st.just({"name": "restricted"}),
        "execution": st.sampled_from([{"timeout": "1s"}, {"timeout": "1h"}]),
        "surprise": st.just(1),
    },
)
POLICIES = st.lists(
    st.sampled_from(
        [
            worlds.read_policy("restricted", limits={"memory": "64Mi"}),
            worlds.read_policy("a", default=True),
            worlds.read_policy("b", default=True, limits={"concurrency": 1}),
            worlds.read_policy("c", surprise=True),
        ]
    ),
    unique_by=lambda policy: policy.name,
).map(tuple)
EXITS = st.sampled_from(
    [None, model.LastExit(reason="OOMKilled", exit_code=137), model.LastExit(reason="Error", exit_code=1)]
)
PODS = st.fixed_dictionaries(
    {
        "contract": st.sampled_from(["current", "other"]),
        "ready": st.booleans(),
        "deleting": st.booleans(),
        "restarts": st.integers(0, 5),
        "last_exit": EXITS,
        "trouble": st.sampled_from(["", "it cannot be scheduled"]),
        "ip": st.sampled_from(["", "10.0.0.1"]),
        "report": st.sampled_from(["none", "unreachable", "said"]),
        "phase": st.sampled_from(Phase),
        "reason": st.sampled_from(PodReason),
    }
)
COUNTS = st.fixed_dictionaries({"total": st.integers(0, 3), "updated": st.integers(0, 3), "ready": st.integers(0, 3)})
DEPLOYMENT_CONDITIONS = st.sampled_from(
    [
        (),
        ({"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"},),
        ({"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: small"},),
    ]
)
REGISTRATIONS = st.sampled_from(["none", "listed", "failed"])
STEPS = st.one_of(
    st.tuples(st.just("edit"), SPECS),
    st.tuples(st.just("answer"), st.sampled_from([worlds.DIGEST, worlds.OTHER_DIGEST])),
    st.tuples(st.just("fault"), FAULTS),
    st.tuples(st.just("restart"), st.none()),
    st.tuples(st.just("policies"), POLICIES),
    st.tuples(st.just("pods"), st.tuples(st.lists(PODS, max_size=3), COUNTS, DEPLOYMENT_CONDITIONS, REGISTRATIONS)),
    st.tuples(st.just("delete child"), st.sampled_from(["Deployment", "Service", "ConfigMap", "ServiceAccount"])),
    st.tuples(st.just("apply fault"), APPLY_FAULTS),
    st.tuples(st.just("time"), st.floats(0, 1000)),
)


def carry_out(world: World, what: str, value: Any) -> None:
    """Have one thing happen."""
    if what == "edit":
        world.edit(**value)
    elif what == "answer":
        world.resolve(value)
    elif what == "fault":
        world.resolve(fault=value)
    elif what == "restart":
        world.change(resolution=None, reports={}, registrations={}, apply_fault=None)
    elif what == "policies":
        world.change(policies=value)
    elif what == "pods":
        change_pods(world, *value)
    elif what == "delete child":
        kept = {key: child for key, child in world.children.items() if key[0] != value}
        world.children = kept
        world.change(children=tuple(kept.values()))
    elif what == "apply fault":
        world.change(apply_fault=value)
    else:
        world.pass_time(value)


def change_pods(world: World, pods: list[Any], counts: Any, conditions: Any, registration: str) -> None:
    """Have exactly these pods exist."""
    world.change(pods=(), reports={}, registrations={})
    current = world.hash if ("Deployment", "time") in world.children else "none"
    for number, pod in enumerate(pods):
        name, fields = f"pod-{number}", dict(pod)
        report, phase, reason = fields.pop("report"), fields.pop("phase"), fields.pop("reason")
        contract = current if fields["contract"] == "current" else "0123456789abcdef"
        reports = dict(world.observed.reports)
        if report == "unreachable":
            reports[name] = model.Report(problem="no route to host")
        elif report == "said":
            reports[name] = model.Report(status=worlds.say(contract, phase=phase, reason=reason, message="said"))
        seen = model.Pod(name=name, **{**fields, "contract": contract})
        world.change(pods=(*world.observed.pods, seen), reports=reports)
    if registration != "none":
        world.register(current, problem="HTTP 500" if registration == "failed" else "")
    if ("Deployment", "time") in world.children:
        world.count_pods(**counts, conditions=conditions)


@settings(max_examples=100, deadline=None)
@given(st.lists(STEPS, max_size=12))
def test_laws_hold_along_every_way(steps: list[tuple[str, Any]]) -> None:
    world = World()
    for what, value in [*steps, ("time", 0.0)]:
        carry_out(world, what, value)
        served = {pod.contract for pod in world.observed.pods}
        contracts = {key[1] for key in world.children if key[0] == "ConfigMap"}
        world.step()
        left = {key[1] for key in world.children if key[0] == "ConfigMap"}
        used = {f"time-contract-{each}" for each in served}
        assert contracts & used <= left, "a contract that a pod uses stays"
        world.settle()


def wants_pods(spec: dict[str, object]) -> bool:
    """Return whether a spec wants any pod."""
    return spec.get("replicas", 1) != 0 and not spec.get("suspend")


@settings(max_examples=40, deadline=None)
@given(SPECS.filter(wants_pods), POLICIES, st.none() | FAULTS)
def test_no_change_of_a_manifest_makes_a_running_component_unready(spec: Any, policies: Any, fault: Any) -> None:
    world = worlds.running()
    world.change(policies=policies)
    world.edit(**spec)
    world.resolve(worlds.OTHER_DIGEST, fault)
    world.settle()
    assert world.condition("Ready")[0] == "True"
    assert ("Deployment", "time") in world.children


@settings(max_examples=40, deadline=None)
@given(st.lists(STEPS, max_size=8))
def test_a_decision_depends_on_nothing_but_what_was_observed(steps: list[tuple[str, Any]]) -> None:
    world = World()
    for what, value in steps:
        carry_out(world, what, value)
        world.step()
    again = dataclasses.replace(world.observed)
    first = worlds.decide(world.observed)
    assert worlds.decide(again) == first
