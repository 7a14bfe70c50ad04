"""Which exported functions become tools, and what clients are told about them. Pure.

`host.component` calls `decide_tools` once the component is loaded; `mcp` serves what it returns.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wasmoor_runtime.contract.spec import ToolAnnotations, ToolOverride, Tools
from wasmoor_runtime.contract.status import Reason, Unserved
from wasmoor_runtime.errors import Stalled
from wasmoor_runtime.ports import Function

# How many names a message lists before it says "and n more".
_NAMES_IN_MESSAGE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedTool:
    """One tool as clients see it, and the function that answers it."""

    name: str
    function: str
    title: str | None
    description: str
    annotations: ToolAnnotations | None
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any]
    content: bool = False
    """The result is a list of blocks, shown as it is; clients see no output schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is served, what is not and why, and what in `spec.tools` had no effect."""

    tools: tuple[ServedTool, ...]
    unserved: tuple[Unserved, ...]
    notes: tuple[str, ...]


def decide_tools(functions: Sequence[Function], wanted: Tools) -> Selection:
    """Return the tools to serve.

    Patterns and overrides name a function by its tool name or by its exported id. Raises `Stalled` with `NoTools` when
    nothing is left, and with `ToolNameConflict` when two functions would have the same tool name.
    """
    chosen = [function for function in functions if _is_wanted(function, wanted)]
    servable = [function for function in chosen if not function.unsupported]
    unserved = tuple(Unserved(name=f.name or f.id, reason=f.unsupported) for f in chosen if f.unsupported)
    if not servable:
        raise Stalled(Reason.NO_TOOLS, _explain_nothing(functions, chosen, wanted))
    overrides = {override.name: override for override in wanted.overrides}
    tools = tuple(_describe(f, overrides.get(f.id) or overrides.get(f.name)) for f in servable)
    _refuse_conflicts(tools)
    return Selection(tools=tools, unserved=unserved, notes=_notes(functions, chosen, wanted))


def hash_tools(tools: Iterable[ServedTool]) -> str:
    """Return `sha256:…` over names, descriptions and schemas as canonical JSON, in order of name."""
    document = sorted(
        (
            {
                "name": tool.name,
                "description": tool.description,
                "inputSchema": tool.input_schema,
                "outputSchema": tool.output_schema,
            }
            for tool in tools
        ),
        key=lambda entry: str(entry["name"]),
    )
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _matches(function: Function, pattern: str) -> bool:
    # Only `*` and `?` are wild; a bracket is a bracket.
    literal = pattern.replace("[", "[[]")
    return fnmatch.fnmatchcase(function.name, literal) or fnmatch.fnmatchcase(function.id, literal)


def _is_wanted(function: Function, wanted: Tools) -> bool:
    included = not wanted.include or any(_matches(function, pattern) for pattern in wanted.include)
    return included and not any(_matches(function, pattern) for pattern in wanted.exclude)


def _describe(function: Function, override: ToolOverride | None) -> ServedTool:
    annotations = override.annotations if override else None
    title = (override.title if override else None) or (annotations.title if annotations else None)
    description = override.description if override and override.description is not None else function.description
    return ServedTool(
        name=(override.rename if override else None) or function.name,
        function=function.id,
        title=title,
        description=description,
        annotations=annotations,
        input_schema=function.input_schema,
        output_schema=function.output_schema,
        content=function.content,
    )


def _refuse_conflicts(tools: Sequence[ServedTool]) -> None:
    for name, count in Counter(tool.name for tool in tools).items():
        if count > 1:
            ids = [tool.function for tool in tools if tool.name == name]
            raise Stalled(
                Reason.TOOL_NAME_CONFLICT,
                f"{list_names(ids)} would all be the tool {name!r}: give one of them a name with "
                "spec.tools.overrides[].rename, or leave it out with spec.tools.exclude",
            )


def _notes(functions: Sequence[Function], chosen: Sequence[Function], wanted: Tools) -> tuple[str, ...]:
    """Return a sentence for every word in `spec.tools` that changes nothing."""
    exported = list_names([function.name for function in functions])
    notes = [
        f"spec.tools.include: {pattern!r} matches no exported function; exported are {exported}"
        for pattern in wanted.include
        if not any(_matches(function, pattern) for function in functions)
    ]
    known = {name for function in chosen if not function.unsupported for name in (function.name, function.id)}
    notes.extend(
        f"spec.tools.overrides: {override.name!r} is no tool of this component; exported are {exported}"
        for override in wanted.overrides
        if override.name not in known
    )
    return tuple(notes)


def _explain_nothing(functions: Sequence[Function], chosen: Sequence[Function], wanted: Tools) -> str:
    if not functions:
        return "the component exports no functions: export at least one from its world"
    if not chosen:
        exported = list_names([function.name for function in functions])
        field = "include and exclude leave" if wanted.include else "exclude leaves"
        return f"spec.tools.{field} none of the exported functions: {exported}"
    first = chosen[0]
    return f"none of the exported functions can be served; {first.name or first.id}: {first.unsupported}"


def list_names(names: Sequence[str]) -> str:
    """Return the names for a message, at most eight of them."""
    shown = ", ".join(names[:_NAMES_IN_MESSAGE])
    return shown if len(names) <= _NAMES_IN_MESSAGE else f"{shown} and {len(names) - _NAMES_IN_MESSAGE} more"
