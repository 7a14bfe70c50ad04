"""`wasmoor call`: one tool call with the official client, printed. It knows nothing of this project's server."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import mcp_types as types
from mcp.client import Client
from mcp.shared.exceptions import MCPError

from wasmoor_runtime.cli.problems import UserError

TOOL_ERROR = 1


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
    try:
        async with asyncio.timeout(seconds), Client(url) as client:
            result = await client.call_tool(tool, arguments)
    except TimeoutError as error:
        raise UserError(f"{url}: no answer within {seconds:g} s") from error
    except MCPError as error:
        raise UserError(f"{url}: {error.error.message}") from error
    except Exception as error:  # the client's transports raise what their libraries raise, in groups
        raise UserError(f"{url}: {_first_line(error)}") from error
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
