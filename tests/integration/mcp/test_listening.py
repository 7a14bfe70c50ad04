"""Streams of clients that wait for changes, as a raw client of 2026-07-28 sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
from mcp.client import Client

from tests.fakes.parts import FakePool, make_function, until
from tests.fakes.site import RunningSite, run_site
from tests.integration.cli import commands
from tests.integration.mcp.streams import listen, render_listen
from wasmoor_runtime.contract.spec import Tools
from wasmoor_runtime.host.tools import decide_tools
from wasmoor_runtime.mcp.listening import Listening
from wasmoor_runtime.settings import Drain

ACKNOWLEDGED = "notifications/subscriptions/acknowledged"
SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"


def find_listening(site: RunningSite) -> Listening:
    listening = site.serving._endpoints["/mcp"].listening
    assert listening is not None
    return listening


def count_streams(site: RunningSite) -> int:
    streams = find_listening(site)._streams
    return len(streams._streams) if streams is not None else 0


def subscription_of(frame: Mapping[str, Any]) -> object:
    return (frame.get("params") or frame.get("result") or {})["_meta"][SUBSCRIPTION]


async def test_a_listener_is_acknowledged_and_told_when_the_tools_have_changed() -> None:
    async with run_site(FakePool([make_function("shout")])) as site, listen(site.url, toolsListChanged=True) as frames:
        first = await anext(frames)
        find_listening(site).announce_tools()
        second = await anext(frames)
    assert first["method"] == ACKNOWLEDGED
    assert first["params"]["notifications"] == {"toolsListChanged": True}
    assert second["method"] == "notifications/tools/list_changed"
    assert [subscription_of(frame) for frame in (first, second)] == ["stream-1", "stream-1"]


async def test_a_listener_hears_nothing_that_it_did_not_ask_for() -> None:
    async with (
        run_site(FakePool([make_function("shout")])) as site,
        listen(site.url, promptsListChanged=True) as frames,
    ):
        await anext(frames)
        find_listening(site).announce_tools()
        site.serving._endpoints["/mcp"].end_streams()
        last = await anext(frames)
    assert last["id"] == "stream-1"
    assert "result" in last


async def test_a_process_that_stops_ends_its_streams_with_a_result() -> None:
    drain = Drain(delay_seconds=0.0, stop_seconds=30.0)
    async with (
        run_site(FakePool([make_function("shout")]), drain=drain) as site,
        listen(site.url, toolsListChanged=True) as frames,
    ):
        await anext(frames)
        site.serving.stop()
        async with asyncio.timeout(15):
            last = await anext(frames)
            rest = [frame async for frame in frames]
            await site.task
    assert (last["id"], last["result"]["resultType"], subscription_of(last)) == ("stream-1", "complete", "stream-1")
    assert rest == []


async def test_while_a_process_stops_no_stream_is_opened() -> None:
    headers, body = render_listen(toolsListChanged=True)
    async with run_site(FakePool([make_function("shout")])) as site, httpx2.AsyncClient() as client:
        site.serving._endpoints["/mcp"].end_streams()
        answer = await client.post(site.url, json=body, headers=headers)
    assert answer.json()["error"]["message"] == "the server is stopping: listen again, to another one"


async def test_a_component_that_started_again_with_other_tools_lists_those_and_says_so() -> None:
    async with (
        run_site(FakePool([make_function("shout")])) as site,
        listen(site.url, toolsListChanged=True) as frames,
        Client(site.url) as client,
    ):
        await anext(frames)
        again = decide_tools((make_function("whisper"),), Tools())
        site.host._state = replace(site.host._state, selection=again)
        assert [tool.name for tool in (await client.list_tools(cache_mode="bypass")).tools] == ["whisper"]
        async with asyncio.timeout(10):
            assert (await anext(frames))["method"] == "notifications/tools/list_changed"


async def test_a_listener_that_goes_away_is_forgotten() -> None:
    async with run_site(FakePool([make_function("shout")])) as site:
        async with listen(site.url, toolsListChanged=True) as frames:
            await anext(frames)
            assert count_streams(site) == 1
        await until(lambda: count_streams(site) == 0)


async def test_listeners_hear_of_a_manifest_that_changed_and_come_back_to_the_new_tools(tmp_path: Path) -> None:
    component = commands.build_component(tmp_path, "sleep")
    source = f"file: {{path: {component}}}"
    manifest = tmp_path / "nap.yaml"
    manifest.write_text(commands.render_manifest("nap", source), "utf-8")
    renamed = commands.render_manifest("nap", source, more="tools: {overrides: [{name: sleep, rename: doze}]}")
    with commands.serving(tmp_path) as served:
        own, shared = served.url("/tools/nap/mcp"), served.url("/mcp")
        async with listen(own, toolsListChanged=True) as first, listen(shared, toolsListChanged=True) as second:
            assert (await anext(first))["method"] == (await anext(second))["method"] == ACKNOWLEDGED
            manifest.write_text(renamed, "utf-8")
            async with asyncio.timeout(30):
                told = await anext(first)
                last = await anext(first)
                both = await anext(second)
        async with listen(own, toolsListChanged=True) as again, Client(own) as client, Client(shared) as together:
            await anext(again)
            names = [tool.name for tool in (await client.list_tools()).tools]
            names += [tool.name for tool in (await together.list_tools()).tools]
    assert told["method"] == both["method"] == "notifications/tools/list_changed"
    assert last["result"]["resultType"] == "complete"
    assert names == ["doze", "nap__doze"]
