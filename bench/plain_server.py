"""What the runtime is compared with: the same two tools in plain Python on the official SDK, without any sandbox.

python -m bench.plain_server PORT
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Mapping
from typing import Any

import mcp_types as types
import uvicorn
from mcp.server.lowlevel.server import Server
from mcp.server.transport_security import TransportSecuritySettings

_INTEGER = {"type": "integer"}
_NUMBERS = {"type": "array", "items": {"type": "number"}}
SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "add": {"type": "object", "properties": {"a": _INTEGER, "b": _INTEGER}, "required": ["a", "b"]},
    "summarize": {"type": "object", "properties": {"numbers": _NUMBERS}, "required": ["numbers"]},
}


def _summarize(given: Mapping[str, Any]) -> Any:
    numbers = given["numbers"]
    return {
        "count": len(numbers),
        "minimum": min(numbers),
        "maximum": max(numbers),
        "mean": statistics.fmean(numbers),
        "median": statistics.median(numbers),
        "deviation": statistics.pstdev(numbers),
    }


TOOLS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "add": lambda given: given["a"] + given["b"],
    "summarize": _summarize,
}


async def list_tools(_context: Any, _params: Any) -> types.ListToolsResult:
    """Answer `tools/list`."""
    return types.ListToolsResult(tools=[types.Tool(name=n, input_schema=dict(s)) for n, s in SCHEMAS.items()])


async def call_tool(_context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
    """Answer `tools/call`."""
    result = {"result": TOOLS[params.name](params.arguments or {})}
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=str(result))], structured_content=result, is_error=False
    )


def main(port: int) -> None:
    """Serve until killed."""
    server = Server(
        "plain", version="1", on_list_tools=list_tools, on_call_tool=call_tool, get_tool_input_schema=SCHEMAS.get
    )
    open_to_all = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    app = server.streamable_http_app(stateless_http=True, json_response=False, transport_security=open_to_all)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False, loop="uvloop", http="httptools")


if __name__ == "__main__":
    main(int(sys.argv[1]))
