"""`wasmoor call`: one tool call with the official client. It knows nothing of this project's server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx2
import mcp_types as types
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from wasmoor_runtime.cli import arguments
from wasmoor_runtime.cli.exits import Exit, decide_call_exit
from wasmoor_runtime.cli.problems import UserError
from wasmoor_runtime.mcp.answers import VERDICT_META

_MAX_REFUSAL = 1000
_MOST_PAGES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a call: a value, or an error to tell."""

    code: Exit
    value: Any = None
    error: str = ""


async def call(url: str, tool: str, given: Mapping[str, Any], parameters: Iterable[str], *, seconds: float) -> Answer:
    """Return the answer of one call; `UserError` when there is no answer to show."""
    refusals: list[str] = []

    async def note_refusal(response: httpx2.Response) -> None:
        # The SDK keeps what a server says beside an HTTP error to itself; a person wants to read it.
        if response.status_code >= HTTPStatus.BAD_REQUEST and not response.headers.get("content-type", "").startswith(
            "application/json"
        ):
            text = (await response.aread())[:_MAX_REFUSAL].decode(errors="replace")
            refusals.append(f"HTTP {response.status_code}: {text}")

    hooks = {"response": [note_refusal]}
    words = tuple(parameters)
    try:
        async with (
            asyncio.timeout(seconds),
            httpx2.AsyncClient(timeout=seconds, event_hooks=hooks) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            typed = arguments.parse_parameters(words, await _find_schema(client, tool)) if words else {}
            result = await client.call_tool(tool, {**given, **typed})
    except TimeoutError as error:
        raise UserError(f"{url}: no answer within {seconds:g} s", code=Exit.UNREACHABLE) from error
    except Exception as error:  # the client's transports raise what their libraries raise, in groups
        raise _explain(url, _first(error), refusals) from error
    return _render(result)


def _explain(url: str, error: BaseException, refusals: Sequence[str]) -> UserError:
    """Return what to tell of a call without an answer; what the server said beside an HTTP error comes first."""
    if isinstance(error, UserError):
        return error
    if isinstance(error, MCPError):
        code = Exit.USAGE if error.error.code == types.INVALID_PARAMS else Exit.UNREACHABLE
        return UserError(f"{url}: {refusals[-1] if refusals else error.error.message}", code=code)
    text = refusals[-1] if refusals else str(error).partition("\n")[0] or type(error).__name__
    return UserError(f"{url}: {text}", code=Exit.UNREACHABLE)


async def _find_schema(client: Client, tool: str) -> Mapping[str, Any]:
    """Return the tool's input schema, which says how parameters are typed."""
    cursor: str | None = None
    names: list[str] = []
    for _ in range(_MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        for each in page.tools:
            if each.name == tool:
                return each.input_schema
            names.append(each.name)
        cursor = page.next_cursor
        if cursor is None:
            break
    raise UserError(f"{tool}: the server has no such tool; it has {', '.join(names[:8])}")


def _render(result: types.CallToolResult) -> Answer:
    texts = [block.text if isinstance(block, types.TextContent) else f"[{block.type}]" for block in result.content]
    text = "\n".join(texts)
    if result.is_error:
        return Answer(code=decide_call_exit(str((result.meta or {}).get(VERDICT_META, ""))), error=text)
    value = text if result.structured_content is None else result.structured_content
    return Answer(code=Exit.OK, value=value)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
