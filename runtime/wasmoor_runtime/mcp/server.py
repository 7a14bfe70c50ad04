"""The MCP server of one component: lists its tools and calls them, through the SDK's low-level server.

Handlers never let an exception of ours escape: the SDK would show its text to clients of the older revisions.
`endpoint` carries it over HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mcp_types as types
from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError

from wasmoor_runtime.host.component import ComponentHost
from wasmoor_runtime.host.tools import ServedTool
from wasmoor_runtime.mcp import asks, calling, identity, pages, progress, results
from wasmoor_runtime.mcp.listening import Listening

# Tools of a running component do not change: another version is another process, or another endpoint in this one.
_CACHE = CacheHint(ttl_ms=5000, scope="public")

Context = ServerRequestContext[dict[str, Any]]


class ComponentServer:
    """Answers for one component whose tools are known."""

    def __init__(self, host: ComponentHost, listening: Listening) -> None:
        self._host = host
        self._listening = listening
        self._served = host.tools
        self._tools = self._render()
        self._caller = calling.Caller(host)

    def build(self, version: str) -> Server[dict[str, Any]]:
        """Return the SDK's server.

        It says `listChanged` to clients of 2026-07-28, who can listen, and truthfully not to those of before: without
        sessions there is no stream for them.
        """
        who = identity.describe_server(self._host, version)
        return Server(
            who.name,
            version=who.version,
            title=who.title,
            on_list_tools=self.list_tools,
            on_call_tool=self.call_tool,
            on_subscriptions_listen=self._listening.listen,
            # Without it the SDK lists all tools before every call that has arguments.
            get_tool_input_schema=self.find_input_schema,
            cache_hints={"tools/list": _CACHE, "server/discover": _CACHE},
        )

    def find_input_schema(self, name: str) -> Mapping[str, Any] | None:
        """Return the tool's input schema, for the SDK's check of headers against arguments."""
        tool = self._host.find_tool(name)
        return tool.input_schema if tool else None

    async def list_tools(self, _: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        """Answer `tools/list`, a hundred tools a page."""
        try:
            page, following = pages.decide_page(self._list(), params.cursor if params else None)
        except ValueError as error:
            raise MCPError(code=types.INVALID_PARAMS, message=f"tools/list: {error}") from None
        return types.ListToolsResult(tools=list(page), next_cursor=following)

    def _list(self) -> tuple[types.Tool, ...]:
        """Return the tools as they are now: a component that died may have started again from another artifact."""
        if self._host.tools is not self._served:
            before, self._served = self._served, self._host.tools
            self._tools = self._render()
            if before != self._served:
                self._listening.announce_tools()
        return self._tools

    def _render(self) -> tuple[types.Tool, ...]:
        return tuple(results.render_tool(self._host.ref.name, tool) for tool in self._served)

    async def call_tool(self, context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        """Answer `tools/call`. Cancelling it (the client went away) ends the call's worker."""
        tool = self._host.find_tool(params.name)
        if tool is None:
            raise MCPError(code=types.INVALID_PARAMS, message=f"Unknown tool: {params.name[:128]}")
        return await answer_call(self._caller, tool, context, params)


async def answer_call(
    caller: calling.Caller, tool: ServedTool, context: Context, params: types.CallToolRequestParams
) -> types.CallToolResult:
    """Return the result of one call. Whoever sends a progress token hears how far it is, if the component says so."""
    given = params.arguments or {}
    asked = asks.parse_asks(context.meta, getattr(context.request, "headers", None))
    if (context.meta or {}).get("progress_token") is None:
        return results.render_answer(await caller.call(tool, given, asked=asked))
    async with progress.relay(context.session) as report:
        return results.render_answer(await caller.call(tool, given, report, asked))
