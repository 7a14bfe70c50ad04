"""Questions to registries: asked once, dropped when they no longer matter, and always answered."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta

from tests.fakes.operator_world import DIGEST, make_component
from wasmoor_operator import errors, ports, reasons, settings
from wasmoor_operator.adapters import resolutions
from wasmoor_operator.decide import model, parsing, resolution
from wasmoor_runtime.contract import spec

KEY = ports.Key("WasmComponent", "tools", "text")
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def make(reference: str = "registry.test/text:1", generation: int = 1) -> model.Component:
    raw = make_component(spec={"source": {"oci": {"reference": reference}}})
    return dataclasses.replace(parsing.parse_component(raw), generation=generation)


class Registry:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: str | Exception = DIGEST
        self.open = asyncio.Event()
        self.open.set()

    async def resolve(self, namespace: str, source: resolution.Asked) -> str:
        assert (namespace, type(source)) == ("tools", spec.OciSource)
        self.asked.append(resolution.name_source(source))
        await self.open.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def build(registry: Registry, *, deadline: float = 5.0) -> tuple[resolutions.Resolutions, asyncio.Queue[ports.Key]]:
    told: asyncio.Queue[ports.Key] = asyncio.Queue()
    values = settings.RegistrySettings(deadline=deadline)
    built = resolutions.Resolutions(registry.resolve, values, settings.PaceSettings(), on_answer=told.put_nowait)
    return built, told


async def answer(asking: resolutions.Resolutions, told: asyncio.Queue[ports.Key]) -> model.Resolution:
    """Ask, wait until the answer is announced, and return it."""
    asking.look_up(KEY, make(), NOW)
    assert await asyncio.wait_for(told.get(), 5) == KEY
    found = asking.look_up(KEY, make(), NOW)
    assert found is not None
    return found


async def test_the_first_look_starts_the_question_and_does_not_wait_for_it() -> None:
    registry = Registry()
    registry.open.clear()
    asking, told = build(registry)
    assert asking.look_up(KEY, make(), NOW) is None
    assert asking.look_up(KEY, make(), NOW) is None

    registry.open.set()

    assert await asyncio.wait_for(told.get(), 5) == KEY
    found = asking.look_up(KEY, make(), NOW)
    assert found is not None
    assert (found.digest, found.fault, found.generation) == (DIGEST, None, 1)
    assert registry.asked == ["registry.test/text:1"]


async def test_a_corrected_reference_does_not_wait_for_the_wrong_one() -> None:
    registry = Registry()
    registry.open.clear()
    asking, told = build(registry)
    asking.look_up(KEY, make("hanging.test/text:1"), NOW)
    await asyncio.sleep(0)
    asking.look_up(KEY, make("registry.test/text:2", 2), NOW)
    await asyncio.sleep(0)
    registry.open.set()

    await asyncio.wait_for(told.get(), 5)

    found = asking.look_up(KEY, make("registry.test/text:2", 2), NOW)
    assert found is not None
    assert found.reference == "registry.test/text:2"
    assert told.empty()


async def test_a_registry_that_hangs_is_unavailable_after_the_deadline() -> None:
    registry = Registry()
    registry.open.clear()
    found = await answer(*build(registry, deadline=0.01))
    assert found.fault is not None
    assert found.fault.reason is reasons.Reason.REGISTRY_UNAVAILABLE


async def test_a_fault_is_remembered_as_the_answer() -> None:
    registry = Registry()
    registry.answer = errors.Stalled(reasons.Reason.ARTIFACT_NOT_FOUND, "no such tag")
    found = await answer(*build(registry))
    assert found.fault is registry.answer
    assert found.digest == ""


async def test_an_unexpected_error_is_an_answer_without_its_text() -> None:
    registry = Registry()
    registry.answer = RuntimeError("token s3cret")
    found = await answer(*build(registry))
    assert found.fault is not None
    assert found.fault.reason is reasons.Reason.INTERNAL
    assert "s3cret" not in found.fault.message


async def test_a_failed_question_is_asked_again_when_its_delay_is_over() -> None:
    registry = Registry()
    registry.answer = errors.Waiting(reasons.Reason.REGISTRY_UNAVAILABLE, "later", delay=30)
    asking, told = build(registry)
    await answer(asking, told)
    asking.look_up(KEY, make(), datetime.now(UTC))
    assert len(registry.asked) == 1

    registry.answer = DIGEST
    asking.look_up(KEY, make(), datetime.now(UTC) + timedelta(seconds=31))

    await asyncio.wait_for(told.get(), 5)
    assert len(registry.asked) == 2


async def test_what_is_forgotten_is_not_announced() -> None:
    registry = Registry()
    registry.open.clear()
    asking, told = build(registry)
    asking.look_up(KEY, make(), NOW)
    await asyncio.sleep(0)
    asking.forget(KEY)
    registry.open.set()
    await asking.close()
    assert told.empty()
