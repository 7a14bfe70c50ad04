"""Raw requests of both eras, for what an official client would never send."""

from __future__ import annotations

from typing import Any


def render_call(mode: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Return headers and body of one raw call of `shout`."""
    headers = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
    params: dict[str, Any] = {"name": "shout", "arguments": {"text": "hi"}}
    if mode == "auto":
        headers |= {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "shout"}
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    else:
        headers["mcp-protocol-version"] = "2025-11-25"
    return headers, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
