"""A pod, as far as the operator can see one: `/status` on :9090 and a real MCP server on :8080, on a loopback address.

A small real HTTP server of the official SDK, in a thread of its own; what it says can be changed while it runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import mcp_types
import uvicorn
from mcp.server.lowlevel.server import Server
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wasmoor_runtime.contract import status

STATUS_PORT = 9090
MCP_PORT = 8080


@dataclass(slots=True)
class FakePod:
    """What the pod says, and how often it was asked."""

    namespace: str
    component: str
    contract: str
    tools: tuple[str, ...] = ("echo",)
    phase: status.Phase = status.Phase.RUNNING
    reason: status.Reason = status.Reason.RUNNING
    message: str = ""
    status_delay: float = 0.0
    """Seconds before `/status` answers."""
    garbage: bytes | None = None
    """What `/status` says in place of a status."""
    asked: list[str] = field(default_factory=list)
    """`status` and `tools/list`, in the order they were asked."""

    def render_status(self) -> str:
        """Return the answer of `/status`."""
        component = {
            "namespace": self.namespace,
            "name": self.component,
            "contract": self.contract,
            "phase": self.phase,
            "reason": self.reason,
            "message": self.message,
            "ready": self.phase is status.Phase.RUNNING,
            "tools": [{"name": name} for name in self.tools],
            "toolCount": len(self.tools),
            "toolsHash": f"sha256:{len(self.tools)}",
        }
        return json.dumps({"runtime": "test", "components": [component]})

    async def answer_status(self, _: Request) -> Response:
        """Answer `/status`."""
        self.asked.append("status")
        await asyncio.sleep(self.status_delay)
        body = self.garbage if self.garbage is not None else self.render_status().encode()
        return Response(body, media_type="application/json")

    async def list_tools(self, _: Any, __: Any) -> mcp_types.ListToolsResult:
        """Answer `tools/list`."""
        self.asked.append("tools/list")
        schema = {"type": "object", "properties": {}}
        return mcp_types.ListToolsResult(
            tools=[mcp_types.Tool(name=name, description=f"Does {name}.", input_schema=schema) for name in self.tools]
        )


@contextlib.contextmanager
def serve_pod(pod: FakePod, address: str) -> Iterator[FakePod]:
    """Serve the pod at this loopback address."""
    protocol: Server[Any] = Server("test", version="0", on_list_tools=pod.list_tools)
    endpoint = protocol.streamable_http_app(
        stateless_http=True,
        json_response=False,
        streamable_http_path="/mcp",
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    admin = Starlette(routes=[Route("/status", pod.answer_status)])
    servers = [_make_server(admin, address, STATUS_PORT), _make_server(endpoint, address, MCP_PORT)]
    threads = [threading.Thread(target=server.run, daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    try:
        while not all(server.started for server in servers):
            assert all(thread.is_alive() for thread in threads), f"{address} cannot be served"
            threading.Event().wait(0.01)
        yield pod
    finally:
        for server in servers:
            server.should_exit = True
        for thread in threads:
            thread.join(10)


def _make_server(app: Starlette, host: str, port: int) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=1, ws="none")
    )
