"""The HTTP around the MCP servers: which path is whose, who may ask, how much and how long they may send.

Threats: a web page that makes a browser call a server on its machine or in its network (the Origin is checked, and the
Host too where the process listens on loopback only: DNS rebinding); a client that sends more than allowed, or never
finishes (the body is bounded and has a deadline); an old client that parks a stream for ever (GET is 405).

An ASGI application; `serving` runs it. While the process drains, every answer closes its connection, so that clients
come back through the Service, to another pod.
"""

from __future__ import annotations

import abc
import asyncio
import contextlib
import importlib
import ipaddress
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from wasmoor_runtime.host.component import ComponentHost

if TYPE_CHECKING:
    from mcp.server.lowlevel.server import Server
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from wasmoor_runtime.mcp.listening import Listening
    from wasmoor_runtime.mcp.shared import SharedServer

# Seconds for all of a request's body.
BODY_TIMEOUT_SECONDS = 30.0
# The SDK's own bound on bodies; ours, from the policy, is applied before it.
_SDK_BODY_BYTES = 1 << 40
# Seconds that loading the SDK may take, on a machine that has other things to do.
_SDK_TIMEOUT_SECONDS = 30.0


class Endpoint(abc.ABC):
    """One MCP server at one path."""

    def __init__(self) -> None:
        self.listening: Listening | None = None
        """The streams of those who wait for changes, once anybody has sent what the SDK answers."""
        self._ended = False
        self._manager: StreamableHTTPSessionManager | None = None
        self._wanted = asyncio.Event()
        self._opened = asyncio.Event()

    @abc.abstractmethod
    def build_server(self, listening: Listening) -> Server[dict[str, Any]]:
        """Return the server that answers; called once the SDK is loaded."""

    @abc.abstractmethod
    def decide_largest(self) -> int:
        """Return how many bytes a request may have, or 0 while nothing can be answered."""

    @abc.abstractmethod
    def explain(self) -> str:
        """Return why nothing can be answered yet."""

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Answer requests while this is entered. To be left by the task that entered it.

        Waits for the first request: the SDK takes half a second and 35 MiB, and pods whose calls all take the fast path
        never need it. It is imported in a thread, so that calls go on.
        """
        await self._wanted.wait()
        await asyncio.to_thread(importlib.import_module, "wasmoor_runtime.mcp.server")
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        from wasmoor_runtime.mcp.listening import Listening

        self.listening = Listening()
        if self._ended:
            self.listening.close()
        manager = StreamableHTTPSessionManager(
            self.build_server(self.listening),
            stateless=True,
            # With JSON-only answers the SDK would let a call run on after its client went away.
            json_response=False,
            max_request_body_size=_SDK_BODY_BYTES,
        )
        async with manager.run():
            self._manager = manager
            self._opened.set()
            try:
                yield
            finally:
                self._manager = None

    def announce_tools(self) -> None:
        """Tell those who wait for it that the tools have changed."""
        if self.listening is not None:
            self.listening.announce_tools()

    def end_streams(self) -> None:
        """End the streams of those who wait for changes, and open no more."""
        self._ended = True
        if self.listening is not None:
            self.listening.close()

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request to this path."""
        if scope["method"] != "POST":
            # A server without sessions has no stream for GET to open and nothing for DELETE to end.
            await _refuse(405, "POST only", scope, receive, send, {"allow": "POST"})
            return
        limit = self.decide_largest()
        manager = await self._wait_for_manager() if limit else None
        if manager is None:
            await _refuse(503, self.explain(), scope, receive, send, {"retry-after": "1"})
            return
        try:
            body = await _read_body(receive, limit, _declared_length(scope))
        except ValueError:
            await _refuse(413, f"the request is larger than {limit} bytes", scope, receive, send)
        except TimeoutError:
            await _refuse(408, "the request's body did not arrive", scope, receive, send)
        else:
            if body is not None:
                await manager.handle_request(scope, _replay(body, receive), send)

    async def _wait_for_manager(self) -> StreamableHTTPSessionManager | None:
        """Return the SDK's side of the endpoint, loaded now if need be."""
        if self._manager is None:
            self._wanted.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SDK_TIMEOUT_SECONDS):
                    await self._opened.wait()
        return self._manager


class ComponentEndpoint(Endpoint):
    """One component; it must run before this is opened."""

    def __init__(self, host: ComponentHost, *, version: str) -> None:
        super().__init__()
        self.host = host
        self._version = version

    def build_server(self, listening: Listening) -> Server[dict[str, Any]]:
        """Return the component's server."""
        from wasmoor_runtime.mcp.server import ComponentServer

        return ComponentServer(self.host, listening).build(self._version)

    def decide_largest(self) -> int:
        """Return what the component's contract allows."""
        contract = self.host.contract
        return contract.limits.request_bytes if contract and self.host.running.is_set() else 0

    def explain(self) -> str:
        """Return how far the component is."""
        status = self.host.status()
        return f"{self.host.id} is {status.phase.value}: {status.message}"


class SharedEndpoint(Endpoint):
    """All components of the process; `refresh` is called whenever one came, went or changed."""

    def __init__(self, hosts: Callable[[], Iterable[ComponentHost]], *, version: str) -> None:
        super().__init__()
        self._hosts = hosts
        self._version = version
        self._server: SharedServer | None = None

    def refresh(self) -> None:
        """Take notice of a change, and tell those who listen."""
        if self._server is not None and self._server.refresh():
            self.announce_tools()

    def build_server(self, listening: Listening) -> Server[dict[str, Any]]:
        """Return the server of all components."""
        from wasmoor_runtime.mcp.shared import SharedServer

        self._server = SharedServer(self._hosts, listening)
        self._server.refresh()
        return self._server.build(self._version)

    def decide_largest(self) -> int:
        """Return the most that any component allows; each checks its own arguments again."""
        contracts = [host.contract for host in self._hosts() if host.ready]
        return max((contract.limits.request_bytes for contract in contracts if contract), default=0)

    def explain(self) -> str:
        """Return that nothing runs."""
        return "no component runs yet"


class Router:
    """The MCP port: paths to endpoints, and the checks that hold for all of them."""

    def __init__(self, endpoints: Mapping[str, Endpoint], *, check_host: bool) -> None:
        self._endpoints = endpoints  # whoever made it adds and removes
        self._check_host = check_host
        self.draining = False
        """True once the process stops: answers then close their connections."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        # httptools keeps trailing blanks of header values, which RFC 9110 (5.5) does not count as part of them.
        scope["headers"] = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
        answer = _closing(send) if self.draining else send
        refusal = self._decide_refusal(dict(scope["headers"]))
        if refusal is not None:
            await _refuse(*refusal, scope, receive, answer)
            return
        endpoint = self._endpoints.get(scope["path"].rstrip("/") or "/")
        if endpoint is None:
            known = ", ".join(list(self._endpoints)[:8])
            await _refuse(404, f"no component is here; MCP is served at {known}", scope, receive, answer)
            return
        await endpoint.answer(scope, receive, answer)

    def _decide_refusal(self, headers: Mapping[bytes, bytes]) -> tuple[int, str] | None:
        origin = headers.get(b"origin")
        if origin is not None and not is_loopback_url(origin.decode("latin-1")):
            return 403, "this Origin may not call: web pages of other sites have no business here"
        host = headers.get(b"host", b"").decode("latin-1")
        if self._check_host and not is_loopback_url(f"http://{host}"):
            return 421, "this Host is not served here: use localhost or 127.0.0.1"
        return None


def is_loopback_url(url: str) -> bool:
    """Return whether a URL names this machine as `localhost` or by a loopback address."""
    try:
        parts = urlsplit(url)
        name = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"}:
        return False
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _declared_length(scope: Scope) -> int:
    text = dict(scope["headers"]).get(b"content-length", b"0")
    return int(text) if text.isdigit() else 0


async def _read_body(receive: Receive, limit: int, declared: int) -> bytes | None:
    """Return the whole body, or none if the client left. `ValueError` beyond `limit`, `TimeoutError` when it stalls."""
    if declared > limit:
        raise ValueError
    body = bytearray()
    async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if len(body) > limit:
                raise ValueError
            if not message.get("more_body", False):
                return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body once, then whatever comes (a disconnect)."""
    pending = [body]

    async def next_message() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        return await receive()

    return next_message


def _closing(send: Send) -> Send:
    """Return a `send` that asks the client to close its connection."""

    async def send_and_close(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [(name, value) for name, value in message.get("headers", ()) if name.lower() != b"connection"]
            message = {**message, "headers": [*headers, (b"connection", b"close")]}
        await send(message)

    return send_and_close


async def _refuse(
    status: int, text: str, scope: Scope, receive: Receive, send: Send, headers: Mapping[str, str] | None = None
) -> None:
    await PlainTextResponse(f"{text}\n", status_code=status, headers=headers)(scope, receive, send)
