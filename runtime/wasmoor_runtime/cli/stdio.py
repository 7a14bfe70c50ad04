"""All components on standard input and output, for desktop clients that start their servers themselves.

No port is opened: a client may start several of these. The client speaks as soon as the process runs, so the first
list of tools waits until every component runs, has failed, or waits for a registry, and for so long at most.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import mcp_types as types
from mcp.server.lowlevel.server import NotificationOptions, Server
from mcp.server.stdio import stdio_server

from wasmoor_runtime.host.component import ComponentHost
from wasmoor_runtime.mcp.listening import Listening
from wasmoor_runtime.mcp.shared import Context, SharedServer

# How long the first answer may wait for components to load, in seconds: less than clients wait for a list of tools.
PATIENCE_SECONDS = 45.0
# Clients of this revision and later open a stream to hear of changes (`subscriptions/listen`).
_FIRST_THAT_LISTENS = "2026-07-28"
# How long running calls may go on when a component is replaced or the client leaves, in seconds.
STOP_SECONDS = 30.0


class _StdioServer(SharedServer):
    """The shared server, which waits for its components and tells its one client of changes."""

    def __init__(self, stage: Stage) -> None:
        self._streams = Listening()
        super().__init__(stage.hosts, self._streams)
        self._stage = stage
        self._session: Any = None

    async def list_tools(self, context: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        """Answer `tools/list` once there is something to say."""
        if context.protocol_version < _FIRST_THAT_LISTENS:
            self._session = context.session
        await self._stage.settle()
        return await super().list_tools(context, params)

    async def call_tool(self, context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        """Answer `tools/call`; a client may call what it remembers before it lists anything."""
        await self._stage.settle()
        return await super().call_tool(context, params)

    async def announce(self) -> None:
        """Tell the client that the list is another one, in the way of its revision.

        A client of 2026-07-28 listens for it; one of before is told without asking, once it has a list to forget.
        """
        self._streams.announce_tools()
        if self._session is not None:
            with contextlib.suppress(Exception):  # the client is leaving
                await self._session.send_tool_list_changed()


class Stage:
    """Where components are served on standard input and output (`reloading.Stage`)."""

    def __init__(self, *, version: str) -> None:
        self._version = version
        self._hosts: dict[str, ComponentHost] = {}
        self._server = _StdioServer(self)
        self._following: dict[ComponentHost, asyncio.Task[None]] = {}
        self._settled = False

    def hosts(self) -> list[ComponentHost]:
        """Return the components that are served now."""
        return list(self._hosts.values())

    def find(self, path: str) -> ComponentHost | None:
        """Return what is served under this path's name."""
        return self._hosts.get(path)

    async def put(self, path: str, host: ComponentHost) -> None:
        """Serve the host; what was there finishes its calls."""
        before = self._hosts.get(path)
        self._hosts[path] = host
        self._following[host] = asyncio.create_task(self._follow(host))
        if before is not None:
            await self._end(before)

    async def remove(self, path: str) -> None:
        """Serve it no longer; its calls are finished."""
        host = self._hosts.pop(path, None)
        if host is not None:
            await self._refresh()
            await self._end(host)

    async def settle(self) -> None:
        """Wait until every component runs or has said why not, or patience ends."""
        if not self._settled:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await asyncio.gather(*(host.settled.wait() for host in self.hosts()))
            self._settled = True
            self._server.refresh()

    async def run(self) -> None:
        """Answer until the input ends."""
        server: Server[dict[str, Any]] = self._server.build(self._version)
        options = server.create_initialization_options(NotificationOptions(tools_changed=True))
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, options)

    async def close(self) -> None:
        """End all components."""
        await asyncio.gather(*(self._end(host) for host in self.hosts()), return_exceptions=True)

    async def _follow(self, host: ComponentHost) -> None:
        await host.running.wait()
        await self._refresh()

    async def _refresh(self) -> None:
        if self._server.refresh() and self._settled:
            await self._server.announce()

    async def _end(self, host: ComponentHost) -> None:
        task = self._following.pop(host, None)
        if task is not None:
            task.cancel()
        await host.stop(STOP_SECONDS)
