from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest
from mcp.client import Client
from mcp.shared.exceptions import MCPError

from tests.fakes.parts import FakePool, hang, make_contract, make_function, until
from tests.fakes.site import run_site
from tests.integration.mcp.requests import render_call
from wasmoor_runtime.contract.document import CallLimits
from wasmoor_runtime.contract.spec import ToolAnnotations, ToolOverride, Tools
from wasmoor_runtime.ports import Outcome, Verdict

MODES = ("auto", "legacy")


def answering(outcome: Outcome) -> Any:
    async def behave(_: Mapping[str, Any]) -> Outcome:
        return outcome

    return behave


async def call(outcome: Outcome, mode: str) -> Any:
    async with (
        run_site(FakePool([make_function("shout")], {"shout": answering(outcome)})) as site,
        Client(site.url, mode=mode) as client,
    ):
        return await client.call_tool("shout", {"text": "hi"})


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_of_either_era_lists_and_calls(mode: str) -> None:
    override = ToolOverride(name="shout", title="Shout", annotations=ToolAnnotations(read_only_hint=True))
    contract = make_contract(tools=Tools(overrides=(override,)))
    async with (
        run_site(FakePool([make_function("shout")]), contract=contract) as site,
        Client(site.url, mode=mode) as client,
    ):
        tools = (await client.list_tools()).tools
        result = await client.call_tool("shout", {"text": "hi"})
        assert client.protocol_version == ("2026-07-28" if mode == "auto" else "2025-11-25")
        assert client.server_capabilities.tools is not None
        assert client.server_capabilities.tools.list_changed is (mode == "auto")
    (tool,) = tools
    assert (tool.name, tool.title, tool.description) == ("shout", "Shout", "Does shout.")
    assert tool.annotations is not None
    assert tool.annotations.read_only_hint is True
    assert tool.meta == {"wasmoor.dev/tool": "text:shout"}
    assert tool.input_schema["required"] == ["text"]
    assert result.is_error is False
    assert result.structured_content == {"result": "hi"}
    assert json.loads(result.content[0].text) == {"result": "hi"}  # type: ignore[union-attr]


async def test_the_server_says_who_it_is_and_how_long_its_list_is_fresh() -> None:
    async with run_site(FakePool([make_function("shout")])) as site, Client(site.url) as client:
        assert client.server_info is not None
        assert (client.server_info.name, client.server_info.title) == ("text", "tools/text on Wasmoor")
        assert client.server_info.version
        listed = await client.list_tools()
        assert (listed.ttl_ms, listed.cache_scope) == (5000, "public")


@pytest.mark.parametrize("mode", MODES)
async def test_the_error_of_a_component_is_an_error_result_with_its_payload(mode: str) -> None:
    result = await call(Outcome(verdict=Verdict.COMPONENT_ERROR, payload=b'{"error":"no such city"}'), mode)
    assert result.is_error is True
    assert json.loads(result.content[0].text) == {"error": "no such city"}
    assert result.meta["wasmoor.dev/verdict"] == "ComponentError"


@pytest.mark.parametrize("verdict", [v for v in Verdict if v not in {Verdict.OK, Verdict.COMPONENT_ERROR}])
async def test_every_other_verdict_is_one_sentence_in_an_error_result(verdict: Verdict) -> None:
    result = await call(Outcome(verdict=verdict, message="the call took longer than 2 s"), "auto")
    assert result.is_error is True
    assert result.content[0].text == f"{verdict.value}: the call took longer than 2 s"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("payload", [b"5", b"[1]", b"not json", b"\xff"])
async def test_an_answer_that_is_no_object_is_an_error_result_and_never_a_protocol_error(
    payload: bytes, mode: str
) -> None:
    result = await call(Outcome(verdict=Verdict.OK, payload=payload), mode)
    assert result.is_error is True
    assert result.content[0].text == "Crashed: the component's answer could not be read"


@pytest.mark.parametrize("mode", MODES)
async def test_a_pool_that_raises_shows_clients_nothing_of_the_exception(mode: str) -> None:
    async def fail(_: Mapping[str, Any]) -> Outcome:
        raise RuntimeError("secret detail")

    async with (
        run_site(FakePool([make_function("shout")], {"shout": fail})) as site,
        Client(site.url, mode=mode) as client,
    ):
        result = await client.call_tool("shout", {"text": "hi"})
    assert result.is_error is True
    assert "secret" not in result.model_dump_json()


@pytest.mark.parametrize("mode", MODES)
async def test_an_unknown_tool_is_invalid_params(mode: str) -> None:
    async with run_site(FakePool([make_function("shout")])) as site, Client(site.url, mode=mode) as client:
        with pytest.raises(MCPError, match="Unknown tool: nope") as caught:
            await client.call_tool("nope", {})
    assert caught.value.error.code == -32602


async def test_an_excluded_tool_cannot_be_called() -> None:
    contract = make_contract(tools=Tools(exclude=("hide",)))
    pool = FakePool([make_function("shout"), make_function("hide")])
    async with run_site(pool, contract=contract) as site, Client(site.url) as client:
        with pytest.raises(MCPError, match="Unknown tool: hide"):
            await client.call_tool("hide", {"text": "x"})
    assert pool.calls == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "InvalidArguments: at /: missing text"),
        ({"text": 5}, "InvalidArguments: at /text: expected string"),
        ({"text": "x", "y": 1}, "InvalidArguments: at /: a property that is not known here; known are text"),
    ],
)
async def test_arguments_that_do_not_fit_are_told_with_a_pointer_and_never_reach_the_pool(
    arguments: dict[str, Any], words: str
) -> None:
    pool = FakePool([make_function("shout")])
    async with run_site(pool) as site, Client(site.url) as client:
        result = await client.call_tool("shout", arguments)
    assert result.is_error is True
    assert result.content[0].text == words  # type: ignore[union-attr]
    assert pool.calls == []
    assert site.recorder.calls() == [("shout", "InvalidArguments")]


async def test_large_arguments_are_left_to_the_worker_which_has_a_deadline() -> None:
    refusal = Outcome(verdict=Verdict.INVALID_ARGUMENTS, message="/text: expected a string")
    pool = FakePool([make_function("shout")], {"shout": answering(refusal)})
    async with run_site(pool) as site, Client(site.url) as client:
        result = await client.call_tool("shout", {"text": ["x"] * 10_000})
    assert result.content[0].text == "InvalidArguments: /text: expected a string"  # type: ignore[union-attr]
    assert pool.calls == [("shout", {"text": ["x"] * 10_000})]


@pytest.mark.parametrize("mode", MODES)
async def test_more_than_a_hundred_tools_come_in_pages(mode: str) -> None:
    functions = [make_function(f"tool_{number:03}") for number in range(250)]
    async with run_site(FakePool(functions)) as site, Client(site.url, mode=mode) as client:
        names, cursor, sizes = [], None, []
        while True:
            page = await client.list_tools(cursor=cursor)
            names += [tool.name for tool in page.tools]
            sizes.append(len(page.tools))
            cursor = page.next_cursor
            if cursor is None:
                break
        with pytest.raises(MCPError) as caught:
            await client.list_tools(cursor="bm9wZQ==")
    assert sizes == [100, 100, 50]
    assert names == [function.name for function in functions]
    assert caught.value.error.code == -32602


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_that_leaves_cancels_its_call(mode: str) -> None:
    pool = FakePool([make_function("shout")], {"shout": hang})
    async with run_site(pool) as site:
        headers, body = render_call(mode)
        request = json.dumps(body).encode()
        _, writer = await asyncio.open_connection("127.0.0.1", site.port)
        lines = [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join(("POST /mcp HTTP/1.1", "host: localhost", *lines, f"content-length: {len(request)}", "", ""))
        writer.write(head.encode() + request)
        await until(lambda: pool.calls)
        writer.close()
        await until(lambda: pool.cancelled)
        assert pool.cancelled == ["shout"]
        await until(lambda: site.recorder.calls() == [("shout", "Cancelled")])


async def test_a_call_beyond_its_limit_is_answered() -> None:
    contract = make_contract(limits=CallLimits(timeout_seconds=0.02))
    async with (
        run_site(FakePool([make_function("shout")], {"shout": hang}), contract=contract) as site,
        Client(site.url) as client,
    ):
        result = await client.call_tool("shout", {"text": "x"})
    assert result.content[0].text == "ExecutionTimeout: the call took longer than 0.02 s"  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["NaN", "1e999", '"\\ud800"', "[" * 100_000 + "]" * 100_000])
@pytest.mark.parametrize("mode", MODES)
async def test_odd_json_is_an_answer_and_not_a_crash(text: str, mode: str) -> None:
    function = make_function("shout", input_schema={"type": "object"})
    async with run_site(FakePool([function])) as site:
        headers, body = render_call(mode)
        content = json.dumps(body).replace('"hi"', text)
        async with httpx2.AsyncClient() as client:
            odd = await client.post(site.url, content=content.encode(), headers=headers)
            assert odd.status_code in {200, 400}
            fine = await client.post(site.url, json=body, headers=headers)
    assert "Traceback" not in odd.text
    assert '"isError":false' in fine.text
