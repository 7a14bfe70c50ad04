"""The loop, with a cluster in memory: what it writes, and what it does when things go wrong."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from datetime import UTC, datetime

import pytest

from tests.fakes.operator_world import FakeWorld, make_component
from wasmoor_operator import controller, ports, settings

NOW = datetime(2026, 11, 1, tzinfo=UTC)
VALUES = settings.Settings(render=settings.RenderSettings(runtime_image="runtime.test/wasmoor:1"))


class Loop:
    """A controller that is driven one key at a time."""

    def __init__(self, world: FakeWorld, values: settings.Settings = VALUES) -> None:
        self.queue = controller.Queue()
        self.controller = controller.Controller(world.as_world(), self.queue, values, clock=lambda: NOW)

    async def look(self, key: ports.Key) -> None:
        self.queue.add(key)
        taken = await self.queue.take()
        await self.controller._handle(taken)
        self.queue.done(taken)


@pytest.fixture
def world() -> FakeWorld:
    return FakeWorld()


async def test_a_new_component_costs_four_children_and_one_status(world: FakeWorld) -> None:
    key = world.cluster.add(make_component())
    await Loop(world).look(key)
    assert sorted(world.cluster.writes) == [
        "apply ConfigMap",
        "apply Deployment",
        "apply Service",
        "apply ServiceAccount",
        "status",
    ]


async def test_what_pods_need_is_there_before_the_pods(world: FakeWorld) -> None:
    key = world.cluster.add(make_component())
    await Loop(world).look(key)
    assert world.cluster.writes.index("apply Deployment") > world.cluster.writes.index("apply ConfigMap")
    assert world.cluster.writes.index("apply Deployment") > world.cluster.writes.index("apply ServiceAccount")
    assert world.cluster.writes[-1] == "status"


async def test_a_second_look_writes_nothing(world: FakeWorld) -> None:
    key = world.cluster.add(make_component())
    loop = Loop(world)
    await loop.look(key)
    world.cluster.writes.clear()

    await loop.look(key)

    assert world.cluster.writes == []
    assert world.meter.outcomes == ["wrote", "quiet"]


async def test_a_lost_child_is_made_again_only_after_its_owner_was_seen(world: FakeWorld) -> None:
    key = world.cluster.add(make_component())
    loop = Loop(world)
    await loop.look(key)
    world.cluster.writes.clear()
    del world.cluster.children["tools", "Service", "text"]

    await loop.look(key)

    assert world.cluster.writes == ["confirm", "apply Service"]


async def test_children_of_an_owner_that_is_gone_are_not_made_again(world: FakeWorld) -> None:
    key = world.cluster.add(make_component())
    loop = Loop(world)
    await loop.look(key)
    world.cluster.writes.clear()
    world.cluster.children.clear()
    world.cluster.gone.add(key)

    await loop.look(key)

    assert world.cluster.writes == ["confirm"]


async def test_a_component_that_is_gone_is_forgotten_everywhere(world: FakeWorld) -> None:
    key = world.cluster.add(make_component())
    loop = Loop(world)
    await loop.look(key)
    del world.cluster.own[key]

    await loop.look(key)

    assert world.pods.forgotten == world.resolutions.forgotten == [key]


async def test_while_pods_have_not_been_asked_the_stored_status_stands(world: FakeWorld) -> None:
    key = world.cluster.add(make_component())
    loop = Loop(world)
    await loop.look(key)
    world.cluster.writes.clear()
    world.pods.pending = True
    changed = dict(world.cluster.own[key])
    changed["metadata"] = {**changed["metadata"], "generation": 2, "resourceVersion": "50"}
    changed["spec"] = {**changed["spec"], "suspend": True}
    world.cluster.own[key] = changed

    await loop.look(key)

    assert world.cluster.writes == ["apply Deployment"]


async def test_a_refusal_becomes_a_condition_and_goes_when_it_is_over(world: FakeWorld) -> None:
    key = world.cluster.add(make_component())
    loop = Loop(world)
    refusal = ports.ApiFault(403, "Forbidden", "deployments is forbidden: exceeded quota: small")
    world.cluster.refused["Deployment"] = refusal
    await loop.look(key)
    assert world.meter.outcomes == ["waiting"]
    assert world.cluster.condition(key, "Reconciling")["reason"] == "QuotaExceeded"

    world.cluster.refused.clear()
    await loop.look(key)

    assert "Quota" not in str(world.cluster.own[key]["status"])
    assert ("tools", "Deployment", "text") in world.cluster.children


async def test_an_outage_of_the_api_server_is_waited_out(world: FakeWorld, caplog: pytest.LogCaptureFixture) -> None:
    key = world.cluster.add(make_component())
    values = dataclasses.replace(VALUES, queue=settings.QueueSettings(backoff_initial=0.001))
    loop = Loop(world, values)
    world.cluster.fault = ports.ApiFault(503, "ServiceUnavailable", "PATCH /x: try later")
    with caplog.at_level(logging.WARNING):
        await loop.look(key)
    assert [record.message for record in caplog.records] == [f"{key}: PATCH /x: try later"]
    world.cluster.fault = None

    again = await asyncio.wait_for(loop.queue.take(), 5)
    await loop.controller._handle(again)

    assert "status" in world.cluster.writes


async def test_a_defect_is_logged_once_and_said_without_what_the_object_holds(
    world: FakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    key = world.cluster.add(make_component())
    loop = Loop(world)
    world.cluster.refused["Deployment"] = KeyError("s3cret")
    with caplog.at_level(logging.ERROR):
        await loop.look(key)
        await loop.look(key)

    ready = world.cluster.condition(key, "Ready")
    assert (ready["status"], ready["reason"]) == ("Unknown", "Internal")
    assert "KeyError" in ready["message"]
    assert "s3cret" not in str(world.cluster.own[key])
    assert [bool(record.exc_info) for record in caplog.records] == [True, False]


async def test_a_spec_that_cannot_be_understood_gets_a_condition(world: FakeWorld) -> None:
    key = world.cluster.add(make_component(spec={"source": 5}))
    await Loop(world).look(key)
    assert world.cluster.writes == ["status"]
    assert world.cluster.condition(key, "Stalled")["reason"] == "SpecInvalid"


async def test_a_child_that_somebody_changes_back_at_once_is_not_fought_without_pause(world: FakeWorld) -> None:
    key = world.cluster.add(make_component())
    loop = Loop(world)
    world.cluster.loses = True
    await loop.look(key)

    assert len(world.cluster.writes) == controller.ROUNDS * 4
    assert world.meter.outcomes == ["waiting"]
    assert len(loop.queue) == 0


async def test_a_changed_policy_has_all_components_of_its_namespace_looked_at(world: FakeWorld) -> None:
    for name in ("one", "two"):
        world.cluster.add(make_component(name))
    world.cluster.add(make_component("other", namespace="elsewhere"))
    loop = Loop(world)
    policy = {
        "kind": "ComponentPolicy",
        "metadata": {"name": "p", "namespace": "tools", "uid": "p", "generation": 1, "resourceVersion": "9"},
        "spec": {},
    }

    loop.controller.notice("ComponentPolicy", policy, deleted=False)

    assert {str(await loop.queue.take()) for _ in range(len(loop.queue))} == {
        "ComponentPolicy tools/p",
        "WasmComponent tools/one",
        "WasmComponent tools/two",
    }


async def test_a_changed_status_concerns_nobody_else(world: FakeWorld) -> None:
    raw = make_component()
    world.cluster.add(raw)
    world.cluster.add(make_component("other"))
    loop = Loop(world)

    loop.controller.notice("WasmComponent", {**raw, "status": {"phase": "Running"}}, deleted=False)

    assert len(loop.queue) == 1


async def test_everything_is_looked_at_at_the_start(world: FakeWorld) -> None:
    keys = [world.cluster.add(make_component(f"text-{number}")) for number in range(40)]
    loop = Loop(world)
    running = asyncio.create_task(loop.controller.run())
    async with asyncio.timeout(20):
        while world.cluster.writes.count("status") < len(keys):  # noqa: ASYNC110 - the fake tells nobody
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert all(world.cluster.condition(key, "Resolved")["status"] == "True" for key in keys)
