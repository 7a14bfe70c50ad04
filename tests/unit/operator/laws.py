"""What must hold for every status that a decision writes, whatever was observed."""

from collections.abc import Mapping
from typing import Any

from wasmoor_operator.api.status import WasmComponentStatus
from wasmoor_operator.conditions import Type, parse_time
from wasmoor_operator.decide.model import Observed, Plan
from wasmoor_operator.reasons import Reason

CONDITIONS = tuple(kind.value for kind in Type)


def check_plan(observed: Observed, plan: Plan) -> None:
    """Raise `AssertionError` naming the first law that a plan breaks."""
    status = plan.status if plan.status is not None else observed.component.status
    if plan.status is not None:
        assert plan.status != observed.component.status, "an unchanged status is not written"
    check_status(status, observed.component.generation)
    check_transitions(observed.component.status, status)
    assert plan.requeue_after is None or plan.requeue_after > 0, "a component is not looked at in a busy loop"
    for event in plan.events:
        assert event.reason in set(Reason), "events have reasons of the closed list"
        assert event.message, "events say something"


def check_status(status: Mapping[str, Any], generation: int) -> None:
    """Check one status by itself."""
    WasmComponentStatus.model_validate(status)
    conditions = {item["type"]: item for item in status["conditions"]}
    assert tuple(conditions) == CONDITIONS, "all conditions are there, in the order of the lifecycle"
    assert status["observedGeneration"] == generation
    for item in status["conditions"]:
        assert item["observedGeneration"] == generation, "every condition is stamped with the generation"
        assert item["reason"] in set(Reason)
        assert item["message"], "every condition says why"
        parse_time(item["lastTransitionTime"])
    stalled, reconciling = conditions["Stalled"], conditions["Reconciling"]
    assert not (stalled["status"] == reconciling["status"] == "True"), "waiting for somebody is not working"
    for item in (stalled, reconciling):
        assert item["status"] != "Unknown", "the operator knows what it does"
        assert (item["reason"] == "AsExpected") == (item["status"] == "False"), "abnormal conditions name the cause"
    assert status["phase"] in _phases(conditions["Ready"]["status"]), "the phase follows from Ready"


def check_transitions(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Check that transition times move when, and only when, a status flips."""
    stored = {item["type"]: item for item in before.get("conditions") or ()}
    for item in after["conditions"]:
        old = stored.get(item["type"])
        if old is not None and old["status"] == item["status"]:
            assert old["lastTransitionTime"] == item["lastTransitionTime"], "times move only when the status flips"


def _phases(ready: str) -> set[str]:
    """Return the phases that go with a state of Ready."""
    if ready == "True":
        return {"Running", "Degraded"}
    return {"Discovering", "Loading", "Registering", "Restarting", "Failed", "Suspended", "Stopping"}
