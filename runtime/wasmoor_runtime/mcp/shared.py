"""All components of one process as one MCP server: `/mcp` of `wasmoor serve`, and `wasmoor serve --stdio`.

A tool is called `component__tool` here, whether there is one component or ten: a name that changed when another
component appears would break every prompt that holds it. A name that two tools would have, or that is longer than
clients take, is served for neither, and said. Calls go where the component's own endpoint sends them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import mcp_types as types
from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError

from wasmoor_runtime.host.component import ComponentHost
from wasmoor_runtime.host.tools import ServedTool
from wasmoor_runtime.mcp import calling, pages, results, server
from wasmoor_runtime.mcp.listening import Listening

_log = logging.getLogger("wasmoor.shared")

SEPARATOR = "__"
LONGEST_NAME = 64
SERVER_NAME = "wasmoor"
# Components come and go while the files are edited, so nobody may keep the list for long.
_CACHE = CacheHint(ttl_ms=1000, scope="public")

Context = ServerRequestContext[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedTool:
    """One tool of one component, under its shared name."""

    name: str
    host: ComponentHost
    tool: ServedTool


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedTools:
    """What is served, by name in a stable order, and a sentence for each that is not."""

    tools: Mapping[str, SharedTool] = field(default_factory=dict)
    refused: tuple[str, ...] = ()


def decide_shared(hosts: Iterable[ComponentHost]) -> SharedTools:
    """Return the tools of all components that run, under their shared names."""
    candidates: dict[str, list[SharedTool]] = {}
    for host in sorted(hosts, key=lambda each: each.id):
        for tool in host.tools if host.ready else ():
            name = f"{host.ref.name}{SEPARATOR}{tool.name}"
            candidates.setdefault(name, []).append(SharedTool(name=name, host=host, tool=tool))
    refused = [sentence for name, tools in candidates.items() if (sentence := _explain_refusal(name, tools))]
    fit = {name: tools[0] for name, tools in candidates.items() if not _explain_refusal(name, tools)}
    return SharedTools(tools=fit, refused=tuple(refused))


def _explain_refusal(name: str, tools: Sequence[SharedTool]) -> str:
    """Return why nothing is served under this name, or nothing if it is."""
    if len(tools) > 1:
        both = " and ".join(f"{each.tool.name} of {each.host.id}" for each in tools)
        return f"{both} would both be {name}: rename one of the components; each is served at its own path"
    if len(name) > LONGEST_NAME:
        which = f"{tools[0].tool.name} of {tools[0].host.id}"
        return (
            f"{which} would be {name}, which has {len(name)} characters and clients take {LONGEST_NAME}:"
            " shorten one of the names; it is served at its component's own path"
        )
    return ""


class SharedServer:
    """Answers for all components that run now; `refresh` is called whenever that changes."""

    def __init__(self, hosts: Callable[[], Iterable[ComponentHost]], listening: Listening) -> None:
        self._hosts = hosts
        self._listening = listening
        self._callers: dict[ComponentHost, calling.Caller] = {}
        self._listed: tuple[types.Tool, ...] = ()
        self.tools = SharedTools()

    def refresh(self) -> bool:
        """Take notice of components that came, went or changed; return whether the list of tools is another one."""
        found = decide_shared(self._hosts())
        listed = tuple(_render(each) for each in found.tools.values())
        changed = listed != self._listed
        for sentence in set(found.refused) - set(self.tools.refused):
            _log.warning(sentence)
        self.tools, self._listed = found, listed
        hosts = {each.host for each in found.tools.values()}
        self._callers = {host: self._callers.get(host) or calling.Caller(host) for host in hosts}
        return changed

    def build(self, version: str) -> Server[dict[str, Any]]:
        """Return the SDK's server."""
        return Server(
            SERVER_NAME,
            version=version,
            title="Components on Wasmoor",
            on_list_tools=self.list_tools,
            on_call_tool=self.call_tool,
            on_subscriptions_listen=self._listening.listen,
            get_tool_input_schema=self.find_input_schema,
            cache_hints={"tools/list": _CACHE, "server/discover": _CACHE},
        )

    def find_input_schema(self, name: str) -> Mapping[str, Any] | None:
        """Return the tool's input schema, for the SDK's check of headers against arguments."""
        found = self.tools.tools.get(name)
        return found.tool.input_schema if found else None

    async def list_tools(self, _: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        """Answer `tools/list`, a hundred tools a page."""
        try:
            page, following = pages.decide_page(self._listed, params.cursor if params else None)
        except ValueError as error:
            raise MCPError(code=types.INVALID_PARAMS, message=f"tools/list: {error}") from None
        return types.ListToolsResult(tools=list(page), next_cursor=following)

    async def call_tool(self, context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        """Answer `tools/call`. Cancelling it (the client went away) ends the call's worker."""
        found = self.tools.tools.get(params.name)
        if found is None:
            raise MCPError(code=types.INVALID_PARAMS, message=f"Unknown tool: {params.name[:128]}")
        return await server.answer_call(self._callers[found.host], found.tool, context, params)


def _render(shared: SharedTool) -> types.Tool:
    tool = results.render_tool(shared.host.ref.name, shared.tool)
    return tool.model_copy(update={"name": shared.name})
