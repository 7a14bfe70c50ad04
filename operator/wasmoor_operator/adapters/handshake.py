"""The MCP client: one handshake with one pod, and the list of its tools, by the official SDK.

Proves what a client will find, not what the pod claims. Bounded in time, bytes and tools. Called by `pods`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import mcp
from mcp.client import streamable_http

MAX_TOOLS = 1024
MAX_PAGES = 64
MAX_BYTES = 16 * 1024 * 1024


class HandshakeFailed(Exception):
    """The pod did not answer as an MCP server; the message says why."""


class _Bounded(httpx2.AsyncByteStream):
    """A response body that ends in an error once it is too long."""

    def __init__(self, stream: httpx2.AsyncByteStream, limit: int) -> None:
        self._stream, self._left = stream, limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._left -= len(chunk)
            if self._left < 0:
                raise httpx2.ReadError(f"the answer is larger than {MAX_BYTES} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class _BoundedTransport(httpx2.AsyncHTTPTransport):
    """HTTP without proxies, with bounded bodies."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Bounded(response.stream, MAX_BYTES)
        return response


async def list_tools(url: str, *, deadline: float) -> list[dict[str, Any]]:
    """Return every tool as MCP describes it, in the order of the answer.

    Raises:
        HandshakeFailed: no answer within `deadline` seconds, an error, or more than is bearable.
    """
    try:
        async with asyncio.timeout(deadline):
            return await _list_tools(url, deadline)
    except TimeoutError as error:
        raise HandshakeFailed(f"no complete answer within {deadline:g} s") from error
    except HandshakeFailed:
        raise
    except Exception as error:  # the SDK's groups of exceptions hold whatever broke
        raise HandshakeFailed(describe(error)) from error


async def _list_tools(url: str, deadline: float) -> list[dict[str, Any]]:
    tools: list[dict[str, Any]] = []
    http = httpx2.AsyncClient(transport=_BoundedTransport(), timeout=deadline, trust_env=False, follow_redirects=False)
    async with http:
        transport = streamable_http.streamable_http_client(url, http_client=http)
        async with mcp.Client(transport, mode="auto", cache=None) as client:
            cursor: str | None = None
            for _ in range(MAX_PAGES):
                page = await client.list_tools(cursor=cursor)
                tools += [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in page.tools]
                cursor = page.next_cursor
                if len(tools) > MAX_TOOLS:
                    raise HandshakeFailed(f"it lists more than {MAX_TOOLS} tools")
                if not cursor:
                    return tools
    raise HandshakeFailed(f"its list of tools has more than {MAX_PAGES} pages")


def describe(error: BaseException) -> str:
    """Return the innermost cause in one sentence."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
