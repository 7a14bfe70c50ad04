"""What is measured: the runtime's pod, a plain server on the official SDK, and a peer. Each in processes of its own."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.load import Request, ask
from wasmoor_runtime.contract.document import Contract

REPOSITORY = Path(__file__).resolve().parent.parent
_START_SECONDS = 90.0
_GOOD = b'"isError":false'


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool of one component, and the arguments it is called with."""

    component: Path
    name: str
    arguments: Mapping[str, Any]
    limits: Mapping[str, Any] = field(default_factory=dict)

    def expecting(self, expected: bytes, **arguments: Any) -> Request:
        """Return the same call with other arguments, where another answer is good."""
        return Request(data=render_request(self.name, arguments), expected=expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that answers."""

    name: str
    pid: int
    port: int
    request: Request
    seconds: float
    """From the start of the process to its first answer."""


def render_request(tool: str, arguments: Mapping[str, Any]) -> bytes:
    """Return a call as clients of revision 2026-07-28 send it."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
    }
    params = {"name": tool, "arguments": arguments, "_meta": meta}
    headers = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": tool}
    return _render(headers, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})


def _render(headers: Mapping[str, str], document: Mapping[str, Any]) -> bytes:
    body = json.dumps(document, separators=(",", ":")).encode()
    common = {
        "host": "127.0.0.1",
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "content-length": str(len(body)),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**common, **headers}.items())
    return f"POST /mcp HTTP/1.1\r\n{lines}\r\n".encode() + body


@contextlib.contextmanager
def run_wasmoor(tool: Tool, folder: Path, *, fast_path: bool = True) -> Iterator[Server]:
    """Run a pod of the runtime; `folder` keeps its cache."""
    contract = Contract.model_validate(
        {
            "component": {"namespace": "bench", "name": tool.component.stem},
            "source": {"type": "file", "path": str(tool.component.resolve())},
            "limits": {"concurrency": 64, "queue": 256, **tool.limits},
        }
    )
    path = folder / f"{tool.component.stem}.json"
    path.write_text(contract.to_json(), "utf-8")
    port = find_port()
    words = [
        sys.executable, "-m", "wasmoor_runtime", "--contract", str(path), "--cache", str(folder / "cache"),
        "--host", "127.0.0.1", "--port", str(port), "--admin-port", str(find_port()), "--drain-delay", "0",
        *([] if fast_path else ["--no-fast-path"]), "--log-level", "ERROR",
    ]  # fmt: skip
    name = "wasmoor" if fast_path else "wasmoor, SDK only"
    request = Request(data=render_request(tool.name, tool.arguments), expected=_GOOD)
    with _run(words) as (process, started):
        yield _wait(name, process, port, request, started)


@contextlib.contextmanager
def run_plain(tool: Tool) -> Iterator[Server]:
    """Run the same tool in plain Python on the official SDK."""
    port = find_port()
    request = Request(data=render_request(tool.name, tool.arguments), expected=_GOOD)
    with _run([sys.executable, "-m", "bench.plain_server", str(port)]) as (process, started):
        yield _wait("plain SDK server", process, port, request, started)


@contextlib.contextmanager
def run_peer(binary: Path, tool: Tool, folder: Path) -> Iterator[Server]:
    """Run Wassette with the same component; it speaks the handshake revisions, with a session."""
    port = find_port()
    components = folder / f"peer-{tool.component.stem}"
    components.mkdir(exist_ok=True)
    link = components / tool.component.name
    if not link.exists():
        link.symlink_to(tool.component.resolve())
    words = [
        str(binary), "serve", "--streamable-http", "--bind-address", f"127.0.0.1:{port}",
        "--component-dir", str(components),
    ]  # fmt: skip
    with _run(words) as (process, started):
        session = _open_session(port)
        headers = {"mcp-protocol-version": "2025-06-18", **session}
        params = {"name": _find_peer_tool(port, headers, tool.name), "arguments": dict(tool.arguments)}
        data = _render(headers, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
        yield _wait("peer", process, port, Request(data=data, expected=b'"result"'), started)


def _open_session(port: int) -> dict[str, str]:
    params = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            headers, _ = _post(port, {}, {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})
            break
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
    session = {"mcp-session-id": headers["mcp-session-id"]} if headers.get("mcp-session-id") else {}
    _post(port, session, {"jsonrpc": "2.0", "method": "notifications/initialized"})
    return session


def _find_peer_tool(port: int, headers: Mapping[str, str], name: str) -> str:
    _, body = _post(port, headers, {"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}})
    lines = [line.removeprefix("data:").strip() for line in body.splitlines() if line.startswith(("data:", "{"))]
    documents = [json.loads(line) for line in lines if line]
    names = [str(tool["name"]) for each in documents for tool in each.get("result", {}).get("tools", ())]
    return next(each for each in names if each.replace("-", "_").endswith(name.replace("-", "_")))


def _post(port: int, headers: Mapping[str, str], document: Mapping[str, Any]) -> tuple[Mapping[str, str], str]:
    accept = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    data = json.dumps(document).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/mcp", data, {**accept, **headers})
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return {name.lower(): value for name, value in answer.headers.items()}, answer.read().decode()


@contextlib.contextmanager
def _run(words: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    started = time.monotonic()
    paths = os.pathsep.join(each for each in (str(REPOSITORY), os.environ.get("PYTHONPATH", "")) if each)
    process = subprocess.Popen(words, cwd=REPOSITORY, env={**os.environ, "PYTHONPATH": paths})
    try:
        yield process, started
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(name: str, process: subprocess.Popen[bytes], port: int, request: Request, started: float) -> Server:
    """Return the server once it gives a good answer."""
    answer = b""
    while time.monotonic() - started < _START_SECONDS and process.poll() is None:
        answer = ask(port, request)
        if request.expected in answer:
            return Server(name=name, pid=process.pid, port=port, request=request, seconds=time.monotonic() - started)
        time.sleep(0.005)
    raise TimeoutError(f"{name} did not answer; it said last: {answer[-500:]!r}")


def find_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
