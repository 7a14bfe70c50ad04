from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx2
from mcp.client import Client

from tests.fakes.parts import FakeCompiler, FakePool, echo, hang, make_function, make_parts, until
from tests.fakes.site import run_site
from tests.integration.mcp.requests import render_call
from wasmoor_runtime.contract.status import Phase
from wasmoor_runtime.ports import Outcome
from wasmoor_runtime.settings import Drain


async def test_while_it_drains_it_is_not_ready_yet_answers_and_closes_connections() -> None:
    headers, body = render_call("auto")
    drain = Drain(delay_seconds=0.5, stop_seconds=1)
    async with run_site(FakePool([make_function("shout")]), drain=drain) as site, httpx2.AsyncClient() as client:
        before = await client.post(site.url, json=body, headers=headers)
        site.serving.stop()
        await until(lambda: site.host.phase is Phase.STOPPING)
        ready = await client.get(f"{site.admin}/readyz")
        during = await client.post(site.url, json=body, headers=headers)
        await site.task
        assert "close" not in before.headers.get("connection", "")
        assert (ready.status_code, ready.text) == (503, "stopping\n")
        assert (during.status_code, during.headers["connection"]) == (200, "close")
        assert site.host.phase is Phase.TERMINATED


async def test_a_running_call_is_finished_before_the_process_ends() -> None:
    released = asyncio.Event()

    async def wait(arguments: Mapping[str, Any]) -> Outcome:
        await released.wait()
        return await echo(arguments)

    pool = FakePool([make_function("shout")], {"shout": wait})
    drain = Drain(delay_seconds=0, stop_seconds=20)
    async with run_site(pool, drain=drain) as site, Client(site.url) as client:
        await client.list_tools()  # or the client would ask for it after the call, of a server that is gone
        call = asyncio.create_task(client.call_tool("shout", {"text": "late"}))
        await until(lambda: pool.calls)
        site.serving.stop()
        await until(lambda: site.host.phase is Phase.STOPPING)
        assert not site.task.done()
        released.set()
        assert (await call).structured_content == {"result": "late"}
        await site.task
    assert pool.closed == [0.0]


async def test_a_call_that_never_ends_is_answered_at_the_stop_time() -> None:
    pool = FakePool([make_function("shout")], {"shout": hang})
    async with run_site(pool, drain=Drain(delay_seconds=0, stop_seconds=0.3)) as site:
        async with Client(site.url) as client:
            await client.list_tools()
            call = asyncio.create_task(client.call_tool("shout", {"text": "x"}))
            await until(lambda: pool.calls)
            site.serving.stop()
            result = await call
        await site.task
    assert result.content[0].text == "Unavailable: the component is stopping"  # type: ignore[union-attr]


async def test_clients_that_look_at_readiness_lose_no_call() -> None:
    pool = FakePool([make_function("shout")])
    drain = Drain(delay_seconds=0.5, stop_seconds=2)
    headers, body = render_call("auto")
    failures: list[object] = []
    answered = 0

    async with run_site(pool, drain=drain) as site:

        async def load() -> None:
            nonlocal answered
            async with httpx2.AsyncClient() as client:
                while site.host.ready:
                    answer = await client.post(site.url, json=body, headers=headers)
                    answered += 1
                    if answer.status_code != 200 or '"isError":false' not in answer.text:
                        failures.append(answer.text)

        clients = [asyncio.create_task(load()) for _ in range(8)]
        await until(lambda: answered >= 50)
        site.serving.stop()
        await asyncio.gather(*clients)
        await site.task
    assert failures == []


async def test_a_process_that_was_never_ready_stops_without_delay() -> None:
    gate = asyncio.Event()
    pool = FakePool([make_function("shout")])
    parts = make_parts(pool, compiler=FakeCompiler(gate=gate))
    drain = Drain(delay_seconds=3600, stop_seconds=3600)
    async with asyncio.timeout(20), run_site(pool, parts=parts, drain=drain, wait=False) as site:
        await until(lambda: site.host.phase is Phase.LOADING)
        site.serving.stop()
        await site.task
    assert site.host.phase is Phase.TERMINATED
