"""HTTP of the MCP port: uvicorn's protocol, which answers the usual calls itself and hands over everything else.

A connection's bytes come here first. If a request's headers and body are those of a usual call (`fastpath`), the call
is run and its answer written, without an ASGI application in between; otherwise uvicorn is told what has been seen so
far, as if nobody had looked, and the ASGI application (`endpoint`) answers.

Threat: clients that send a header and never the body, send many requests without reading answers, or leave. A body that
does not come at once is left to the application, which has deadlines; a request that comes while another is answered,
or while the client does not read, is too; and a client that leaves ends its call.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from wasmoor_runtime.host.component import ComponentHost
from wasmoor_runtime.host.tools import ServedTool
from wasmoor_runtime.mcp import calling, fastpath, identity
from wasmoor_runtime.mcp.endpoint import is_loopback_url

_log = logging.getLogger(__name__)

# How long the rest of a body may take until the application waits for it instead.
_BODY_SECONDS = 0.5
# After that long without an answer a stream is opened, so that no proxy takes the connection for dead.
_PING_SECONDS = 15.0
_PING = b": ping\r\n\r\n"
_HEAD = b"HTTP/1.1 200 OK\r\n%bcontent-length: %d\r\ncontent-type: application/json\r\n%b\r\n%b"
_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\n%bcontent-type: text/event-stream\r\ncache-control: no-cache, no-transform\r\n%b"
    b"x-accel-buffering: no\r\n%btransfer-encoding: chunked\r\n\r\n"
)
_KEEP_ALIVE = b"connection: keep-alive\r\n"
_CLOSE = b"connection: close\r\n"

Headers = Sequence[tuple[bytes, bytes]]


class Route:
    """One component at one path."""

    def __init__(self, host: ComponentHost, version: str) -> None:
        self.host = host
        self.caller = calling.Caller(host)
        self.renderer = fastpath.Renderer(identity.describe_server(host, version))

    def takes(self, length: int) -> bool:
        """Return whether a body of so many bytes is looked at."""
        contract = self.host.contract
        return contract is not None and 0 < length <= min(contract.limits.request_bytes, fastpath.LARGEST_BODY)

    def find_tool(self, name: str) -> ServedTool | None:
        """Return the tool of that name, unless its answers are more than text."""
        tool = self.host.find_tool(name)
        return tool if tool is not None and not tool.content else None


class FastPath:
    """What all connections of one port share."""

    def __init__(
        self,
        find: Callable[[str], ComponentHost | None],
        *,
        version: str,
        check_host: bool,
        ping_seconds: float = _PING_SECONDS,
    ) -> None:
        """Ask `find` which component is served at a path now."""
        self.draining = False
        """True once the process stops: answers then close their connections."""
        self.ping_seconds = ping_seconds
        self._find = find
        self._version = version
        self._routes: dict[bytes, Route] = {}
        self._is_allowed = functools.lru_cache(64)(_is_loopback) if check_host else _is_any
        self._defaults: Headers = ()
        self._rendered = b""

    def choose(self, url: bytes, headers: Headers) -> tuple[Route, Mapping[bytes, bytes]] | None:
        """Return who may answer a POST with these headers, and the headers by name; none if only the SDK may."""
        route = self._find_route(url)
        found = fastpath.read_headers(headers) if route is not None else None
        if route is None or found is None or not self._is_allowed(found[b"host"]):
            return None
        return (route, found) if route.takes(fastpath.declared_length(found)) else None

    def _find_route(self, url: bytes) -> Route | None:
        host = self._find(url.decode("latin-1"))
        if host is None:
            # Only paths that are served are kept, so that clients cannot fill the memory with others.
            self._routes.pop(url, None)
            return None
        route = self._routes.get(url)
        if route is None or route.host is not host:
            route = self._routes[url] = Route(host, self._version)
        return route

    def render_defaults(self, headers: Headers) -> bytes:
        """Return the headers that every answer has; uvicorn renews them once a second."""
        if headers is not self._defaults:
            self._rendered = b"".join(b"%b: %b\r\n" % each for each in headers)
            self._defaults = headers
        return self._rendered


class _Cycle(RequestResponseCycle):
    """What uvicorn's protocol wants to know of the request that is being answered."""

    message_event = asyncio.Event()  # nobody waits for it

    def __init__(self, *, keep_alive: bool) -> None:
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_started = False
        self.response_complete = False


class Protocol(HttpToolsProtocol):
    """One connection. Without a `FastPath`, all is left to the ASGI application."""

    def __init__(self, fast: FastPath | None, **settings: Any) -> None:
        super().__init__(**settings)
        self._fast = fast
        self._chosen: tuple[Route, Mapping[bytes, bytes]] | None = None
        self._body = b""
        self._patience: asyncio.TimerHandle | None = None
        self._running: asyncio.Task[None] | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin, with a deadline for the first byte of a connection too."""
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the call that runs, if one does."""
        self._forget()
        if self._running is not None:
            self._running.cancel()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Answer what has begun, then close."""
        if self._chosen is not None:
            self._hand_over()
        super().shutdown()

    def data_received(self, data: bytes) -> None:
        """Take bytes; if a body has only begun, have somebody patient wait for the rest."""
        super().data_received(data)
        if self._chosen is not None and self._patience is None:
            self._patience = self.loop.call_later(_BODY_SECONDS, self._hand_over)

    def on_headers_complete(self) -> None:
        """Decide who looks at the body."""
        self._chosen = self._choose()
        if self._chosen is None:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Keep the body, whose length is bounded by what its header said."""
        if self._chosen is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        """Run the call, if it is a usual one."""
        if self._chosen is None:
            super().on_message_complete()
            return
        route, headers = self._chosen
        call = fastpath.find_call(self._body, headers)
        tool = route.find_tool(call.name) if call is not None else None
        if call is None or tool is None:
            self._hand_over()
            super().on_message_complete()
            return
        self._forget()
        cycle = _Cycle(keep_alive=self.parser.should_keep_alive())
        self.cycle = cycle
        task = self._running = self.loop.create_task(self._answer(cycle, route, call, tool))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _choose(self) -> tuple[Route, Mapping[bytes, bytes]] | None:
        idle = self.cycle is None or self.cycle.response_complete
        if self._fast is None or not idle or self.pipeline or self.flow.write_paused:
            return None
        if self.parser.get_method() != b"POST" or self.parser.get_http_version() != "1.1":
            return None
        return self._fast.choose(self.url, self.headers)

    def _hand_over(self) -> None:
        """Tell uvicorn of the request, as far as it is there."""
        body = self._body
        self._forget()
        super().on_headers_complete()
        if body:
            super().on_body(body)

    def _forget(self) -> None:
        self._chosen, self._body = None, b""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    async def _answer(self, cycle: _Cycle, route: Route, call: fastpath.Call, tool: ServedTool) -> None:
        stream = _Stream(self, cycle)
        try:
            answer = await route.caller.call(tool, call.arguments, asked=call.asked)
            stream.finish(route.renderer.render(call.id, answer))
        except asyncio.CancelledError:
            self.transport.close()
            raise
        except Exception:  # noqa: BLE001 - a defect of ours must not end more than this connection
            _log.exception("defect while answering at %s", self.url)
            self.transport.close()
        finally:
            stream.close()
            self._running = None

    def closes(self, cycle: _Cycle) -> bool:
        """Return whether the connection ends with this answer."""
        return not cycle.keep_alive or (self._fast is not None and self._fast.draining)

    def render_defaults(self) -> bytes:
        """Return the headers that every answer has."""
        return self._fast.render_defaults(self.server_state.default_headers) if self._fast else b""

    @property
    def ping_seconds(self) -> float:
        """After how many seconds, and how often then, the client is told that its call still runs."""
        return self._fast.ping_seconds if self._fast else _PING_SECONDS


class _Stream:
    """One answer: JSON at once, or a stream of events for a call that takes long, as the SDK does it."""

    def __init__(self, protocol: Protocol, cycle: _Cycle) -> None:
        self._protocol = protocol
        self._cycle = cycle
        self._timer = protocol.loop.call_later(protocol.ping_seconds, self._ping)

    def finish(self, body: bytes) -> None:
        """Send the answer and let the next request come."""
        protocol, cycle = self._protocol, self._cycle
        if cycle.disconnected or protocol.transport.is_closing():
            return
        closes = protocol.closes(cycle)
        if cycle.response_started:
            data = _chunk(b"event: message\r\ndata: %b\r\n\r\n" % body) + _chunk(b"")
        else:
            data = _HEAD % (protocol.render_defaults(), len(body), _CLOSE if closes else b"", body)
        protocol.transport.write(data)
        cycle.response_complete = True
        if closes:
            protocol.transport.close()
        protocol.on_response_complete()

    def close(self) -> None:
        """Send no more pings."""
        self._timer.cancel()

    def _ping(self) -> None:
        protocol, cycle = self._protocol, self._cycle
        if cycle.disconnected or protocol.transport.is_closing():
            return
        head = b""
        if not cycle.response_started:
            cycle.response_started = True
            ending = (b"", _CLOSE) if protocol.closes(cycle) else (_KEEP_ALIVE, b"")
            head = _STREAM_HEAD % (protocol.render_defaults(), *ending)
        protocol.transport.write(head + _chunk(_PING))
        self._timer = protocol.loop.call_later(protocol.ping_seconds, self._ping)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _is_loopback(host: bytes) -> bool:
    return is_loopback_url(f"http://{host.decode('latin-1')}")


def _is_any(_host: bytes) -> bool:
    return True
