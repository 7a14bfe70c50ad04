"""Progress of a call, as clients of both eras see it."""

from __future__ import annotations

import pytest
from mcp.client import Client

from tests.fakes.parts import FakePool, make_function
from tests.fakes.site import run_site
from wasmoor_runtime.ports import Step

STEPS = (Step(progress=0.0, total=2.0, message="one"), Step(progress=1.0, total=2.0), Step(progress=2.0))
MODES = ("auto", "legacy")


@pytest.mark.parametrize("mode", MODES)
async def test_steps_come_before_the_answer_and_in_order(mode: str) -> None:
    pool = FakePool([make_function("shout")])
    pool.steps["shout"] = STEPS
    heard: list[tuple[float, float | None, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    async with run_site(pool) as site, Client(site.url, mode=mode) as client:
        result = await client.call_tool("shout", {"text": "hi"}, progress_callback=hear)
    assert heard == [(0.0, 2.0, "one"), (1.0, 2.0, None), (2.0, None, None)]
    assert result.structured_content == {"result": "hi"}


@pytest.mark.parametrize("mode", MODES)
async def test_a_flood_of_steps_does_not_keep_the_answer(mode: str) -> None:
    pool = FakePool([make_function("shout")])
    pool.steps["shout"] = [Step(progress=float(number)) for number in range(10_000)]
    heard: list[float] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        del total, message
        heard.append(progress)

    async with run_site(pool) as site, Client(site.url, mode=mode) as client:
        result = await client.call_tool("shout", {"text": "hi"}, progress_callback=hear)
    assert result.structured_content == {"result": "hi"}
    assert heard == sorted(heard)
    assert 0 < len(heard) < 100


async def test_who_asks_for_no_progress_is_told_none() -> None:
    pool = FakePool([make_function("shout")])
    pool.steps["shout"] = STEPS
    async with run_site(pool) as site, Client(site.url) as client:
        result = await client.call_tool("shout", {"text": "hi"})
    assert result.structured_content == {"result": "hi"}
