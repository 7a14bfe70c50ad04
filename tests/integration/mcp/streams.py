"""`subscriptions/listen` of revision 2026-07-28, as a raw client sends it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2

from tests.integration.mcp.requests import render_call


def render_listen(**wanted: bool) -> tuple[dict[str, str], dict[str, Any]]:
    """Return headers and body of a request to be told of changes, with the id `stream-1`."""
    headers, body = render_call("auto")
    del headers["mcp-name"]
    headers["mcp-method"] = body["method"] = "subscriptions/listen"
    return headers, body | {"id": "stream-1", "params": {"_meta": body["params"]["_meta"], "notifications": wanted}}


@contextlib.asynccontextmanager
async def listen(url: str, **wanted: bool) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """Open a stream and yield its frames."""
    headers, body = render_listen(**wanted)
    async with (
        httpx2.AsyncClient(timeout=20) as client,
        client.stream("POST", url, json=body, headers=headers) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _read_frames(answer)


async def _read_frames(answer: httpx2.Response) -> AsyncIterator[dict[str, Any]]:
    async for line in answer.aiter_lines():
        if line.startswith("data:") and line != "data:":
            yield json.loads(line.removeprefix("data:"))
