"""A real HTTP server on loopback that does to its clients whatever a test tells it to.

A route is a function that gets the open request and writes what it wants, byte by byte if it wants.
"""

import contextlib
import http.server
import json
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from wasmoor_runtime.artifacts import digests, layouts, manifests


class Request(http.server.BaseHTTPRequestHandler):
    """One request; `wfile` is the client's socket."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def serve(self) -> None:
        self.server.seen.append(Seen(method=self.command, path=self.path, headers=dict(self.headers.items())))
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        path = self.path.partition("?")[0]
        route = self.server.routes.get((self.command, path)) or self.server.routes.get(("*", path)) or missing
        try:
            route(self)
        except OSError:
            self.server.hung_up.set()
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = serve  # noqa: N815 - the standard library's names

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def answer(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        """Send a whole, correct response."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


Route = Callable[[Request], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request that arrived."""

    method: str
    path: str
    headers: Mapping[str, str]


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """The server: its routes by method and path, and what it saw."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.routes: dict[tuple[str, str], Route] = {}
        self.seen: list[Seen] = []
        self.hung_up = threading.Event()  # set when a client closed its end while a route wrote

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """Keep quiet: clients that hang up are what the tests are about."""


@contextlib.contextmanager
def run_server(context: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server()
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A correct artifact, with routes that serve it correctly."""

    layer: bytes
    layout: layouts.Layout
    repository: str = "demo/clock"
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def manifest_path(self) -> str:
        return f"/v2/{self.repository}/manifests/{self.layout.manifest_digest}"

    @property
    def blob_path(self) -> str:
        return f"/v2/{self.repository}/blobs/{self.layout.layer_digest}"

    def serve(self, server: Server) -> None:
        server.routes["GET", self.manifest_path] = give(self.layout.manifest)
        server.routes["GET", self.blob_path] = give(self.layer)


def make_artifact(layer: bytes) -> Artifact:
    digest = digests.compute_digest(layer)
    return Artifact(layer=layer, layout=layouts.render_layout(digest, len(layer), layouts.Interfaces(), annotations={}))


def missing(request: Request) -> None:
    request.answer(404, json.dumps({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "no"}]}).encode())


def give(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Route:
    """Answer with this."""
    return lambda request: request.answer(status, body, {"Content-Type": manifests.MANIFEST_TYPE, **(headers or {})})


def first(*routes: Route) -> Route:
    """Take one route after another, and the last for ever."""
    left = list(routes)

    def route(request: Request) -> None:
        chosen = left.pop(0) if len(left) > 1 else left[0]
        chosen(request)

    return route


def cut(body: bytes, after: int) -> Route:
    """Promise the whole body, send its beginning, hang up."""

    def route(request: Request) -> None:
        start(request, {"Content-Length": str(len(body))})
        request.wfile.write(body[:after])
        request.close_connection = True

    return route


def flood(chunk: bytes) -> Route:
    """Send this without end, until the client hangs up."""

    def route(request: Request) -> None:
        start(request, {"Connection": "close"})
        while True:
            request.wfile.write(chunk)

    return route


def trickle_headers(request: Request) -> None:
    """Send one byte of a header now and then, without end, until the client hangs up."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    drip(request)


def trickle_body(request: Request) -> None:
    """Promise a lot, send one byte now and then."""
    start(request, {"Content-Length": str(1 << 40)})
    drip(request)


def drip(request: Request) -> None:
    while True:
        request.wfile.write(b"x")
        time.sleep(0.05)


def start(request: Request, headers: Mapping[str, Any]) -> None:
    request.send_response(200)
    for name, value in headers.items():
        request.send_header(name, value)
    request.end_headers()
