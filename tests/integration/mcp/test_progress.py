"""Progress of a call, as clients of both eras see it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mcp.client import Client

from tests.conformance import servers
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


@pytest.mark.parametrize("mode", MODES)
async def test_a_real_component_says_how_far_it_is_alone_and_among_others(mode: Any, tmp_path: Path) -> None:
    heard: list[tuple[float, float | None, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    with servers.serve_fixture(tmp_path) as url:
        own = (url, "test_tool_with_progress")
        shared = (url.replace("/tools/conformance/mcp", "/mcp"), "conformance__test_tool_with_progress")
        for address, tool in (own, shared):
            heard.clear()
            async with Client(address, mode=mode) as client:
                result = await client.call_tool(tool, {}, progress_callback=hear)
            assert heard == [(each, 100.0, f"{each:.0f} of 100") for each in (0.0, 50.0, 100.0)]
            assert result.content[0].text == "done"  # type: ignore[union-attr]
            assert result.structured_content is None
