"""Every way in which an API server can fail to answer becomes one kind of fault."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import yaml
from aiohttp import web
from kubernetes.aio import client

from wasmoor_operator import ports, settings
from wasmoor_operator.adapters import connection

VALUES = settings.ApiServerSettings(request_timeout=0.3, connect_timeout=0.3)


async def refuse(_: web.Request) -> web.Response:
    status = {"reason": "TooManyRequests", "message": "later"}
    return web.json_response(status, status=429, headers={"Retry-After": "7"})


async def explain_in_html(_: web.Request) -> web.Response:
    return web.Response(status=502, text="<h1>bad gateway</h1>", content_type="text/html")


async def hang(_: web.Request) -> web.Response:
    await asyncio.sleep(3600)
    return web.Response()


async def babble(_: web.Request) -> web.Response:
    return web.Response(text="[1, 2]")


async def cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b'{"type": "ADDED", "object": {}}\n{"type": "ADD')
    assert request.transport is not None
    request.transport.abort()
    return response


async def fall_silent(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b'{"type": "BOOKMARK", "object": {}}\n')
    await asyncio.sleep(3600)
    return response


async def take_patch(request: web.Request) -> web.Response:
    return web.json_response({"type": request.content_type, "query": dict(request.query), "body": await request.text()})


@contextlib.asynccontextmanager
async def serve() -> AsyncIterator[connection.Connection]:
    app = web.Application()
    for path, handler in {
        "/refuse": refuse,
        "/html": explain_in_html,
        "/hang": hang,
        "/babble": babble,
        "/cut": cut,
        "/silent": fall_silent,
    }.items():
        app.router.add_get(path, handler)
    app.router.add_patch("/object", take_patch)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    configuration = client.Configuration(host=f"http://{host}:{port}")
    configuration.retries = None
    api = connection.Connection(configuration, VALUES)
    try:
        yield api
    finally:
        await api.close()
        await runner.cleanup()


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/refuse", 429, "GET /refuse: later"),
        ("/html", 502, "GET /html: Bad Gateway"),
        ("/hang", 0, "GET /hang: no answer in time"),
        ("/babble", 0, "no object"),
    ],
)
async def test_a_failed_request_says_which_and_why(path: str, status: int, told: str) -> None:
    async with serve() as api:
        with pytest.raises(ports.ApiFault) as caught:
            await api.read(path)
    assert caught.value.status == status
    assert told in caught.value.message


async def test_the_server_s_wish_when_to_come_back_is_kept() -> None:
    async with serve() as api:
        with pytest.raises(ports.ApiFault) as caught:
            await api.read("/refuse")
    assert caught.value.retry_after == 7


async def test_a_server_that_is_not_there_is_a_fault_without_a_status() -> None:
    api = connection.Connection(client.Configuration(host="http://127.0.0.1:1"), VALUES)
    with pytest.raises(ports.ApiFault) as caught:
        await api.read("/x")
    assert caught.value.status == 0
    await api.close()


@pytest.mark.parametrize("path", ["/cut", "/silent"])
async def test_a_watch_that_breaks_or_falls_silent_ends_in_a_fault_after_what_it_told(path: str) -> None:
    told: list[object] = []

    async def follow(api: connection.Connection) -> None:
        async for event in api.watch(path, silence=0.2):
            told.append(event)  # noqa: PERF401 - what came before the fault is kept

    async with serve() as api:
        with pytest.raises(ports.ApiFault):
            await follow(api)
    assert len(told) == 1


async def test_apply_is_strict_and_ours() -> None:
    async with serve() as api:
        seen = await api.apply("/object", {"a": 1}, force=False)
    assert seen["type"] == "application/apply-patch+yaml"
    assert seen["query"] == {"fieldManager": "wasmoor", "force": "false", "fieldValidation": "Strict"}
    assert seen["body"] == '{"a": 1}'


@pytest.mark.parametrize("text", ["😀", "\\ud83d\\ude00", "é\u2028\x85\x7f\ufeff\uffff\x00\x1f", 'say "hi"\n\t\\'])
def test_every_text_is_applied_as_it_is(text: str) -> None:
    assert yaml.safe_load(connection.render_yaml({"text": text, text: 1})) == {"text": text, text: 1}


def test_half_a_character_is_applied_as_a_lost_one() -> None:
    assert yaml.safe_load(connection.render_yaml({"text": "a\ud83db"})) == {"text": "a\ufffdb"}
