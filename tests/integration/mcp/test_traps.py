"""What goes wrong with MCP servers on this SDK and behind a Service, each with a test that it does not here.

| Trap | Test |
|---|---|
| Before every call with arguments the SDK lists all tools, to find one schema | `test_a_call_lists_no_tools` |
| A call goes on after its client went away | `test_server.test_a_client_that_leaves_cancels_its_call` |
| …in a thread that cannot be ended | `test_pod.test_a_client_that_leaves_has_its_worker_ended` |
| A schema that is no object fails the whole list for older clients | `test_every_type_can_be_listed_in_every_era` |
| A result that is no object fails the call there | `test_server.test_an_answer_that_is_no_object_is_an_error_result…` |
| An exception's text reaches older clients | `test_server.test_a_pool_that_raises_shows_clients_nothing…` |
| Changes are promised to clients that cannot be told | `test_changes_are_promised_to_those_only_who_can_be_told` |
| GET opens a stream that carries nothing | `test_http.test_get_and_delete_are_405` |
| A session binds a client to one of several pods | `test_a_session_of_another_pod_changes_nothing` |
| An open listen stream keeps a process from ending | `test_a_pod_with_a_listener_ends_at_sigterm` |
| Blanks after header values are taken for part of them | `test_http.test_blanks_after_header_values_do_not_count` |
| The garbage collector stops everything for 50 ms | `test_what_is_loaded_is_out_of_the_garbage_collectors_sight` |
| A busy guest stops the server's only thread | `test_pod.test_a_call_at_its_deadline_is_ended_while_others…` |
| A connection is taken to be of one era | `test_one_connection_may_speak_both_eras` |
| A notification is answered, or breaks the connection | `test_a_notification_is_taken_and_nothing_comes_of_it` |
| Requests through a Service are refused for their Host | `test_http.test_in_a_cluster_any_host_is_served…` |
| A web page calls the server of its visitor | `test_http.test_a_foreign_origin_is_403…` |
| Some clients read a cursor as the end when it is empty | `test_the_last_page_has_no_cursor` |
"""

from __future__ import annotations

import asyncio
import gc
import json
from pathlib import Path
from typing import Any

import httpx2
import mcp_types as types
import pytest
from mcp.client import Client
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from tests.conformance import servers
from tests.fakes.parts import FakePool, make_function
from tests.fakes.site import run_site
from tests.integration.mcp.requests import render_call
from tests.integration.mcp.streams import listen
from wasmoor_runtime.mcp.listening import Listening
from wasmoor_runtime.mcp.server import ComponentServer, Context

MODES = ("auto", "legacy")


class CountingServer(ComponentServer):
    """The real server, which counts how often its tools are listed."""

    listed = 0

    async def list_tools(self, context: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        self.listed += 1
        return await super().list_tools(context, params)


async def test_a_call_lists_no_tools() -> None:
    headers, body = render_call("auto")
    async with run_site(FakePool([make_function("shout")])) as site:
        counting = CountingServer(site.host, Listening())
        manager = StreamableHTTPSessionManager(counting.build("1"), stateless=True, json_response=False)
        async with (
            manager.run(),
            httpx2.AsyncClient(
                transport=httpx2.ASGITransport(app=manager.handle_request), base_url="http://localhost"
            ) as client,
        ):
            answer = await client.post("/mcp", json=body, headers=headers)
            assert answer.json()["result"]["structuredContent"] == {"result": "hi"}
            assert counting.listed == 0


@pytest.mark.parametrize("mode", MODES)
async def test_every_type_can_be_listed_in_every_era(mode: str, tmp_path: Path) -> None:
    async with servers.run_component("fixtures/echo", tmp_path) as pod, Client(pod.url, mode=mode) as client:
        tools = (await client.list_tools()).tools
        assert len(tools) > 20
        assert {tool.input_schema["type"] for tool in tools} == {"object"}
        assert {(tool.output_schema or {}).get("type") for tool in tools} == {"object"}
        called = await client.call_tool("echo-option", {})
    assert called.structured_content == {"result": None}


async def test_changes_are_promised_to_those_only_who_can_be_told() -> None:
    async with run_site(FakePool([make_function("shout")])) as site:
        promised: dict[str, Any] = {}
        for mode in MODES:
            async with Client(site.url, mode=mode) as client:
                assert client.server_capabilities is not None
                assert client.server_capabilities.tools is not None
                promised[mode] = client.server_capabilities.tools.list_changed
    assert promised == {"auto": True, "legacy": False}


async def test_a_session_of_another_pod_changes_nothing() -> None:
    async with run_site(FakePool([make_function("shout")])) as site, httpx2.AsyncClient() as client:
        for mode in MODES:
            headers, body = render_call(mode)
            answer = await client.post(site.url, json=body, headers=headers | {"mcp-session-id": "from-elsewhere"})
            assert answer.status_code == 200
            assert '"isError":false' in answer.text
            assert "mcp-session-id" not in answer.headers


async def test_a_pod_with_a_listener_ends_at_sigterm(tmp_path: Path) -> None:
    async with (
        servers.run_component("math", tmp_path) as pod,
        listen(pod.url, toolsListChanged=True) as frames,
    ):
        await anext(frames)
        pod.terminate()
        async with asyncio.timeout(15):
            last = await anext(frames)
            code = await pod.process.wait()
    assert last["id"] == "stream-1"
    assert last["result"]["resultType"] == "complete"
    assert code == 0


async def test_what_is_loaded_is_out_of_the_garbage_collectors_sight() -> None:
    before = gc.get_threshold()
    gc.unfreeze()
    gc.set_threshold(700, 10, 10)
    try:
        async with run_site(FakePool([make_function("shout")])) as site:
            await site.host.settled.wait()
            async with asyncio.timeout(10):
                while gc.get_threshold()[0] == 700:  # noqa: ASYNC110 - it has no event
                    await asyncio.sleep(0)
            assert gc.get_threshold()[0] > 10_000
            assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


async def test_one_connection_may_speak_both_eras() -> None:
    async with run_site(FakePool([make_function("shout")])) as site, httpx2.AsyncClient() as client:
        for mode in ("auto", "legacy", "auto", "legacy"):
            headers, body = render_call(mode)
            answer = await client.post(site.url, json=body, headers=headers)
            assert answer.status_code == 200
            assert '"isError":false' in answer.text


@pytest.mark.parametrize("mode", MODES)
async def test_a_notification_is_taken_and_nothing_comes_of_it(mode: str) -> None:
    headers, body = render_call(mode)
    if mode == "auto":
        del headers["mcp-name"]
        headers["mcp-method"] = "notifications/cancelled"
    params = {"requestId": 1, "_meta": body["params"].get("_meta", {})}
    notification = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}
    pool = FakePool([make_function("shout")])
    async with run_site(pool) as site, httpx2.AsyncClient() as client:
        answer = await client.post(site.url, json=notification, headers=headers)
    assert (answer.status_code, answer.content) == (202, b"")
    assert pool.calls == []


@pytest.mark.parametrize("mode", MODES)
async def test_the_last_page_has_no_cursor(mode: str) -> None:
    headers, body = render_call(mode)
    headers.pop("mcp-name", None)
    if mode == "auto":
        headers["mcp-method"] = "tools/list"
    body["method"] = "tools/list"
    body["params"] = {"_meta": body["params"].get("_meta", {})}
    async with run_site(FakePool([make_function("shout")])) as site, httpx2.AsyncClient() as client:
        text = (await client.post(site.url, json=body, headers=headers)).text
    document = json.loads(text.partition("data:")[2] if text.startswith("event") else text)
    assert len(document["result"]["tools"]) == 1
    assert "nextCursor" not in document["result"]
