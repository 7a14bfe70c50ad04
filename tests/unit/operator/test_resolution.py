"""When a registry is asked, and when not."""

import dataclasses
from datetime import timedelta
from typing import Any

from tests.unit.operator import worlds
from wasmoor_operator import errors
from wasmoor_operator.decide import resolution
from wasmoor_operator.reasons import Reason

DOWN = errors.Waiting(Reason.REGISTRY_UNAVAILABLE, "no answer", delay=5.0)


def resolved(generation: int = 1, reference: str = worlds.REFERENCE) -> dict[str, Any]:
    condition = {
        "type": "Resolved",
        "status": "True",
        "reason": "Resolved",
        "message": "",
        "observedGeneration": generation,
        "lastTransitionTime": "2026-03-01T12:00:00Z",
    }
    artifact = {"reference": reference, "digest": worlds.DIGEST, "resolvedAt": "2026-03-01T12:00:00Z"}
    return {"artifact": artifact, "conditions": [condition]}


def is_due(after: float = 0, last: Any = None, status: Any = None, generation: int = 1, **oci: Any) -> bool:
    component = worlds.read_component(status, generation, source={"oci": {"reference": worlds.REFERENCE, **oci}})
    return resolution.is_due(component, last, worlds.NOW + timedelta(seconds=after), worlds.PACE)


def test_a_new_reference_is_looked_up() -> None:
    assert is_due()


def test_a_digest_is_never_looked_up() -> None:
    assert not is_due(reference=f"registry.example/a@{worlds.DIGEST}")


def test_what_this_generation_resolved_is_not_looked_up_again() -> None:
    assert not is_due(1e6, status=resolved())
    assert not is_due(1e6, last=worlds.answer())


def test_a_changed_spec_is_looked_up_again() -> None:
    assert is_due(status=resolved(generation=1), generation=2)
    assert is_due(last=worlds.answer(generation=1), generation=2)


def test_another_reference_is_looked_up() -> None:
    assert is_due(status=resolved(reference="registry.example/other:1"))


def test_a_tag_is_followed_at_the_interval_of_the_spec() -> None:
    for known in ({"status": resolved()}, {"last": worlds.answer()}):
        assert not is_due(599, refresh="10m", **known)
        assert is_due(601, refresh="10m", **known)


def test_a_question_that_failed_is_asked_again_after_its_delay() -> None:
    failed = worlds.answer(fault=DOWN)
    assert not is_due(4, last=failed)
    assert is_due(5, last=failed)


def test_a_tag_that_is_not_there_is_looked_up_now_and_then() -> None:
    missing = worlds.answer(fault=errors.Stalled(Reason.ARTIFACT_NOT_FOUND, "push it"))
    assert not is_due(worlds.PACE.stalled - 1, last=missing)
    assert is_due(worlds.PACE.stalled, last=missing)


def test_a_tag_that_is_not_there_is_looked_up_as_often_as_refresh_says() -> None:
    missing = worlds.answer(fault=errors.Stalled(Reason.ARTIFACT_NOT_FOUND, "not there"))
    assert not is_due(9, last=missing, refresh="10s")
    assert is_due(10, last=missing, refresh="10s")
    assert is_due(worlds.PACE.stalled, last=missing, refresh="1h")


def test_a_component_is_looked_at_when_its_tag_is_due() -> None:
    world = worlds.running(source={"oci": {"reference": worlds.REFERENCE, "refresh": "1m"}})
    assert world.step().requeue_after == 60
    world.pass_time(50)
    assert world.step().requeue_after == 10


def test_a_tag_that_still_names_the_same_digest_changes_nothing() -> None:
    world = worlds.running(source={"oci": {"reference": worlds.REFERENCE, "refresh": "1m"}})
    world.pass_time(61)
    world.change(resolution=dataclasses.replace(worlds.answer(), attempted_at=world.observed.now))
    assert world.step().status is None
