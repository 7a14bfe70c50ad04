"""`wasmoor call`: one tool call with the official client, printed. It knows nothing of this project's server."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any

import httpx2
import mcp_types as types
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from wasmoor_runtime.cli.problems import UserError

TOOL_ERROR = 1
_MAX_REFUSAL = 1000


def parse_arguments(text: str) -> dict[str, Any]:
    """Return the arguments; `UserError` says what is wrong with the JSON."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UserError(f"--args: no JSON: {error}") from error
    if not isinstance(value, dict):
        raise UserError('--args: write a JSON object, for example \'{"text": "hi"}\'')
    return value


async def call(url: str, tool: str, arguments: dict[str, Any], *, seconds: float) -> tuple[int, str]:
    """Return exit code and text of one call; `UserError` when there is no answer to show."""
    refusals: list[str] = []

    async def note_refusal(response: httpx2.Response) -> None:
        # The SDK keeps what a server says beside an HTTP error to itself; a person wants to read it.
        if response.status_code >= HTTPStatus.BAD_REQUEST and not response.headers.get("content-type", "").startswith(
            "application/json"
        ):
            text = (await response.aread())[:_MAX_REFUSAL].decode(errors="replace")
            refusals.append(f"HTTP {response.status_code}: {text}")

    hooks = {"response": [note_refusal]}
    try:
        async with (
            asyncio.timeout(seconds),
            httpx2.AsyncClient(timeout=seconds, event_hooks=hooks) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            result = await client.call_tool(tool, arguments)
    except TimeoutError as error:
        raise UserError(f"{url}: no answer within {seconds:g} s") from error
    except MCPError as error:
        raise UserError(f"{url}: {refusals[-1] if refusals else error.error.message}") from error
    except Exception as error:  # the client's transports raise what their libraries raise, in groups
        raise UserError(f"{url}: {refusals[-1] if refusals else _first_line(error)}") from error
    return (TOOL_ERROR if result.is_error else 0), _render(result)


def _render(result: types.CallToolResult) -> str:
    if not result.is_error and result.structured_content is not None:
        return json.dumps(result.structured_content, indent=2, ensure_ascii=False)
    texts = [block.text if isinstance(block, types.TextContent) else f"[{block.type}]" for block in result.content]
    return "\n".join(texts)


def _first_line(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error).partition("\n")[0] or type(error).__name__
