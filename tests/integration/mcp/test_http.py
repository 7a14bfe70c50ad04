from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator

import httpx2
import pytest
from mcp.client import Client

from tests.fakes.parts import FakeCompiler, FakeFetcher, FakePool, make_contract, make_function, make_parts, until
from tests.fakes.site import run_site
from tests.integration.mcp.requests import render_call
from wasmoor_runtime.contract.document import CallLimits
from wasmoor_runtime.contract.status import PodStatus
from wasmoor_runtime.errors import Stalled


@pytest.fixture
def pool() -> FakePool:
    return FakePool([make_function("shout")])


async def test_get_and_delete_are_405(pool: FakePool) -> None:
    async with run_site(pool) as site, httpx2.AsyncClient() as client:
        for method in ("GET", "DELETE", "PUT"):
            answer = await client.request(method, site.url, headers={"accept": "text/event-stream"})
            assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_foreign_origin_is_403_and_one_of_this_machine_is_served(pool: FakePool) -> None:
    headers, body = render_call("auto")
    async with run_site(pool) as site, httpx2.AsyncClient() as client:
        foreign = await client.post(site.url, json=body, headers=headers | {"origin": "https://evil.test"})
        hidden = await client.post(site.url, json=body, headers=headers | {"origin": "null"})
        local = await client.post(site.url, json=body, headers=headers | {"origin": "http://localhost:6274"})
    assert (foreign.status_code, hidden.status_code, local.status_code) == (403, 403, 200)
    assert len(pool.calls) == 1


async def test_in_a_cluster_any_host_is_served_and_on_loopback_only_this_machine(pool: FakePool) -> None:
    headers, body = render_call("auto")
    headers["host"] = "time.tools.svc:8080"
    async with run_site(pool) as site, httpx2.AsyncClient() as client:
        assert (await client.post(site.url, json=body, headers=headers)).status_code == 200
    async with run_site(pool, check_host=True) as site, httpx2.AsyncClient() as client:
        assert (await client.post(site.url, json=body, headers=headers)).status_code == 421
        headers["host"] = "localhost:8080"
        assert (await client.post(site.url, json=body, headers=headers)).status_code == 200


async def test_a_request_larger_than_the_policy_allows_is_413() -> None:
    pool = FakePool([make_function("shout")])
    headers, body = render_call("auto")
    body["params"]["arguments"]["text"] = "x" * 3000

    async def pieces() -> AsyncIterator[bytes]:
        yield json.dumps(body).encode()

    async with (
        run_site(pool, contract=make_contract(limits=CallLimits(request_bytes=2000))) as site,
        httpx2.AsyncClient() as client,
    ):
        assert (await client.post(site.url, json=body, headers=headers)).status_code == 413
        assert (await client.post(site.url, content=pieces(), headers=headers)).status_code == 413
    assert pool.calls == []


async def test_blanks_after_header_values_do_not_count(pool: FakePool) -> None:
    headers, body = render_call("auto")
    request = json.dumps(body).encode()
    lines = "".join(f"{name}: {value} \t\r\n" for name, value in headers.items())
    async with run_site(pool) as site:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        head = f"POST /mcp HTTP/1.1\r\nhost: localhost\r\n{lines}content-length: {len(request)}\r\n\r\n"
        writer.write(head.encode() + request)
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        writer.close()


async def test_an_unknown_path_says_where_mcp_is(pool: FakePool) -> None:
    async with run_site(pool) as site, httpx2.AsyncClient() as client:
        answer = await client.post(site.url.replace("/mcp", "/nope"), json={})
    assert (answer.status_code, answer.text) == (404, "no component is here; MCP is served at /mcp\n")


async def test_until_the_tools_are_known_the_answer_is_503_with_the_reason(pool: FakePool) -> None:
    gate = asyncio.Event()
    compiler = FakeCompiler(gate=gate)
    parts = make_parts(pool, compiler=compiler)
    async with run_site(pool, parts=parts, wait=False) as site, httpx2.AsyncClient() as client:
        await until(lambda: compiler.timeouts)
        early = await client.post(site.url, json={})
        ready = await client.get(f"{site.admin}/readyz")
        alive = await client.get(f"{site.admin}/healthz")
        gate.set()
        await site.host.running.wait()
        late = await client.get(f"{site.admin}/readyz")
    assert (early.status_code, early.headers["retry-after"]) == (503, "1")
    assert "tools/text is Loading: compiling" in early.text
    assert ready.status_code == 503
    assert ready.text == "tools/text is Loading: Loading: compiling 0.0 MB for this machine\n"
    assert alive.status_code == 200
    assert (late.status_code, late.text) == (200, "ok\n")


async def test_a_failed_component_stays_up_and_says_why(pool: FakePool) -> None:
    parts = make_parts(pool, fetcher=FakeFetcher(Stalled("NotAComponent", "a core module: build a component")))
    async with run_site(pool, parts=parts, wait=False) as site, httpx2.AsyncClient() as client:
        await site.host.settled.wait()
        ready = await client.get(f"{site.admin}/readyz")
        status = PodStatus.model_validate_json((await client.get(f"{site.admin}/status")).content)
    assert ready.status_code == 503
    assert ready.text == "tools/text is Failed: NotAComponent: a core module: build a component\n"
    assert status.components[0].reason == "NotAComponent"
    assert status.components[0].ready is False


async def test_the_status_page_is_the_documented_model(pool: FakePool) -> None:
    async with run_site(pool) as site, httpx2.AsyncClient() as client:
        answer = await client.get(f"{site.admin}/status")
    status = PodStatus.model_validate_json(answer.content)
    assert answer.json()["components"][0]["toolsHash"].startswith("sha256:")
    assert status.components[0].tools[0].name == "shout"


async def test_metrics_count_calls_by_tool_and_verdict_and_never_by_what_a_client_invents(pool: FakePool) -> None:
    headers, body = render_call("auto")
    async with run_site(pool) as site, httpx2.AsyncClient() as client:
        for _ in range(3):
            await client.post(site.url, json=body, headers=headers)
        body["params"]["arguments"] = {}
        await client.post(site.url, json=body, headers=headers)
        body["params"]["name"] = headers["mcp-name"] = "invented"
        await client.post(site.url, json=body, headers=headers)
        page = (await client.get(f"{site.admin}/metrics")).text
    component = 'component="tools/text"'
    assert f'wasmoor_calls_total{{{component},tool="shout",verdict="Ok"}} 3.0' in page
    assert f'wasmoor_calls_total{{{component},tool="shout",verdict="InvalidArguments"}} 1.0' in page
    assert f'wasmoor_execution_duration_seconds_count{{{component},tool="shout"}} 4.0' in page
    assert re.search(rf'wasmoor_execution_cpu_seconds_total{{{component},tool="shout"}} 0\.003', page)
    assert f'wasmoor_workers{{{component},state="idle"}} 2.0' in page
    assert f'wasmoor_worker_replacements_total{{cause="crashed",{component}}} 0.0' in page.replace(
        f'{{{component},cause="crashed"}}', f'{{cause="crashed",{component}}}'
    )
    assert f"wasmoor_load_duration_seconds_count{{{component}}} 1.0" in page
    assert "wasmoor_components_loaded 1.0" in page
    assert 'wasmoor_info{version="0"} 1.0' in page
    assert "invented" not in page


async def test_many_clients_are_answered_at_the_same_time() -> None:
    waiting = asyncio.Barrier(20)

    async def meet(arguments: object) -> object:
        from tests.fakes.parts import echo

        await waiting.wait()
        return await echo(arguments)  # type: ignore[arg-type]

    async with run_site(FakePool([make_function("shout")], {"shout": meet})) as site:  # type: ignore[dict-item]

        async def one(number: int) -> object:
            async with Client(site.url) as client:
                return (await client.call_tool("shout", {"text": str(number)})).structured_content

        async with asyncio.timeout(20):
            answers = await asyncio.gather(*(one(number) for number in range(20)))
    assert answers == [{"result": str(number)} for number in range(20)]


async def test_a_request_that_says_it_is_too_large_is_refused_before_it_is_sent(pool: FakePool) -> None:
    async with run_site(pool, contract=make_contract(limits=CallLimits(request_bytes=2000))) as site:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(b"POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2001\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.1 413 Request Entity Too Large\r\n"
        writer.close()


@pytest.mark.parametrize("version", ["2025-06-18", "2025-11-25", "2024-11-05"])
async def test_older_revisions_are_opened_with_initialize(pool: FakePool, version: str) -> None:
    headers = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
    params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    opening = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    async with run_site(pool) as site, httpx2.AsyncClient() as client:
        answer = await client.post(site.url, json=opening, headers=headers)
        headers["mcp-protocol-version"] = version
        opened = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        assert (await client.post(site.url, json=opened, headers=headers)).status_code == 202
        _, body = render_call("legacy")
        called = await client.post(site.url, json=body, headers=headers)
    assert f'"protocolVersion":"{version}"' in answer.text
    assert "mcp-session-id" not in answer.headers
    assert '"structuredContent":{"result":"hi"}' in called.text or '"text":"{\\"result\\": \\"hi\\"}"' in called.text


async def test_the_newest_revision_is_discovered_without_a_session(pool: FakePool) -> None:
    headers, body = render_call("auto")
    del headers["mcp-name"]
    headers["mcp-method"] = body["method"] = "server/discover"
    body["params"] = {"_meta": body["params"]["_meta"]}
    async with run_site(pool) as site, httpx2.AsyncClient() as client:
        answer = await client.post(site.url, json=body, headers=headers)
    result = answer.json()["result"]
    assert result["supportedVersions"] == ["2026-07-28"]
    assert result["capabilities"] == {"tools": {"listChanged": True}}
    assert result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "text"
