"""Who must act about what the API server refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.operator_world import FakeCluster
from wasmoor_operator import apply, errors, ports
from wasmoor_operator.decide import model

COMPONENT = model.Component(namespace="tools", name="text", uid="u", generation=1, spec=None)


def fault(status: int, message: str = "no") -> ports.ApiFault:
    return ports.ApiFault(status, "Reason", message)


@pytest.mark.parametrize(
    ("status", "message", "reason", "kind"),
    [
        (403, "pods is forbidden: exceeded quota: q", "QuotaExceeded", errors.Waiting),
        (403, "cannot patch resource", "Forbidden", errors.Waiting),
        (401, "Unauthorized", "Forbidden", errors.Waiting),
        (409, "Apply failed with 1 conflict: conflict with kubectl", "NameTaken", errors.Waiting),
        (422, "spec.selector: field is immutable", "PodRejected", errors.Stalled),
        (500, "failed to create typed patch object: .spec.x: not declared", "PodRejected", errors.Stalled),
        (400, "unknown field spec.x", "SpecInvalid", errors.Stalled),
    ],
)
def test_a_refusal_has_a_reason_and_somebody_who_must_act(
    status: int, message: str, reason: str, kind: type[errors.OperatorFault]
) -> None:
    explained = apply.explain(fault(status, message))
    assert isinstance(explained, kind)
    assert explained.reason == reason
    assert message in explained.message


@pytest.mark.parametrize("status", [0, 404, 409, 429, 500, 503])
def test_what_may_work_next_time_is_nobody_s_business(status: int) -> None:
    assert apply.explain(fault(status)) is None


async def test_a_status_whose_object_is_gone_is_not_an_error() -> None:
    cluster = FakeCluster(fault=fault(404))
    await apply.apply_status(ports.Key("WasmComponent", "tools", "text"), "u", {}, cluster)
    cluster.fault = fault(500)
    with pytest.raises(ports.ApiFault):
        await apply.apply_status(ports.Key("WasmComponent", "tools", "text"), "u", {}, cluster)


async def test_one_failed_child_does_not_cut_off_the_others_of_its_stage() -> None:
    cluster = FakeCluster(refused={"ServiceAccount": fault(503)})
    kinds = ((0, "ServiceAccount"), (0, "ConfigMap"), (1, "Deployment"))
    plan = model.Plan(children=tuple(make(stage, kind) for stage, kind in kinds))

    with pytest.raises(ports.ApiFault):
        await apply.apply_children(COMPONENT, plan, cluster)

    assert cluster.writes == ["apply ConfigMap"]


def make(stage: int, kind: str) -> model.Child:
    manifest: dict[str, Any] = {"kind": kind, "metadata": {"name": "text"}}
    return model.Child(stage=stage, manifest=manifest, force=True)
