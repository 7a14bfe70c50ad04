"""From our values to the protocol's: tools, and what came of a call. Pure.

One place builds results, because their shape is what revisions of the protocol change most.
"""

from __future__ import annotations

import mcp_types as types
from pydantic import TypeAdapter

from wasmoor_runtime.host.tools import ServedTool
from wasmoor_runtime.mcp.answers import Answer, render_meta
from wasmoor_runtime.ports import Verdict

_BLOCKS: TypeAdapter[list[types.ContentBlock]] = TypeAdapter(list[types.ContentBlock])
TOOL_META = "wasmoor.dev/tool"


def render_tool(component: str, tool: ServedTool) -> types.Tool:
    """Return the tool as clients list it; `_meta` carries its full id, `component:function`."""
    annotations = None
    if tool.annotations is not None:
        annotations = types.ToolAnnotations(**tool.annotations.model_dump())
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description or None,
        input_schema=dict(tool.input_schema),
        # Who announces a schema must answer with structured content, and blocks are none.
        output_schema=None if tool.content else dict(tool.output_schema),
        annotations=annotations,
        _meta={TOOL_META: f"{component}:{tool.function}"},
    )


def render_answer(answer: Answer) -> types.CallToolResult:
    """Return the call's result. Every verdict but Ok is `isError`, so that a model reads it and can react."""
    content: list[types.ContentBlock] = [types.TextContent(type="text", text=answer.text)]
    if answer.blocks is not None:
        content = _BLOCKS.validate_python(answer.blocks)
    meta = render_meta(answer)
    if answer.verdict is Verdict.OK:
        return types.CallToolResult(content=content, structured_content=answer.structured, is_error=False, _meta=meta)
    return types.CallToolResult(content=content, is_error=True, _meta=meta)
