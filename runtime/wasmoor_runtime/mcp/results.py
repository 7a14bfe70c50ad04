"""From our values to the protocol's: tools, and what came of a call. Pure.

One place builds results, because their shape is what revisions of the protocol change most.
"""

from __future__ import annotations

import json

import mcp_types as types

from wasmoor_runtime.host.tools import ServedTool
from wasmoor_runtime.ports import Outcome, Verdict

TOOL_META = "wasmoor.dev/tool"
VERDICT_META = "wasmoor.dev/verdict"


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
        output_schema=dict(tool.output_schema),
        annotations=annotations,
        _meta={TOOL_META: f"{component}:{tool.function}"},
    )


def render_outcome(outcome: Outcome) -> types.CallToolResult:
    """Return the call's result. Every verdict but Ok is `isError`, so that a model reads it and can react."""
    if outcome.verdict is Verdict.OK:
        return _render_ok(outcome)
    if outcome.verdict is Verdict.COMPONENT_ERROR:
        # No structuredContent: it would have to fit the tool's output schema, which describes the good result.
        return render_failure(outcome.verdict, outcome.payload.decode(errors="replace") or outcome.message)
    return render_failure(outcome.verdict, f"{outcome.verdict.value}: {outcome.message}")


def _render_ok(outcome: Outcome) -> types.CallToolResult:
    try:
        text = outcome.payload.decode()
        structured = json.loads(text)
    except ValueError:
        structured = None
    if not isinstance(structured, dict):
        # The 2025 revisions allow objects only: one other result would fail the whole answer there.
        return render_failure(Verdict.CRASHED, f"{Verdict.CRASHED.value}: the component's answer could not be read")
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)], structured_content=structured, is_error=False
    )


def render_failure(verdict: Verdict, text: str) -> types.CallToolResult:
    """Return an error result with one text block, and the verdict for machines."""
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)], is_error=True, _meta={VERDICT_META: verdict.value}
    )
