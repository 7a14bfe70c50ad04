"""From the blocks of `wasmoor:mcp/content` to MCP's content blocks. Pure.

Source: https://modelcontextprotocol.io/specification/2026-07-28/server/tools (Tool Result). They are the same in all
revisions that are served.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

Block = Mapping[str, Any]


def render_blocks(values: object) -> tuple[Block, ...]:
    """Return MCP's blocks for a list of `block` values as JSON; `ValueError` when it is none."""
    try:
        return tuple(_RENDERERS[value["tag"]](value["val"]) for value in values)  # type: ignore[attr-defined]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("these are no blocks") from error


def render_text(text: str) -> Block:
    """Return a block of text."""
    return {"type": "text", "text": text}


def _render_media(kind: str) -> Callable[[Any], Block]:
    return lambda media: {"type": kind, "data": media["data"], "mimeType": media["mime-type"]}


def _render_resource(given: str, wanted: str) -> Callable[[Any], Block]:
    def render(value: Any) -> Block:
        resource = {"uri": value["uri"], wanted: value[given]}
        if value.get("mime-type") is not None:
            resource["mimeType"] = value["mime-type"]
        return {"type": "resource", "resource": resource}

    return render


_RENDERERS: Mapping[str, Callable[[Any], Block]] = MappingProxyType(
    {
        "text": render_text,
        "image": _render_media("image"),
        "audio": _render_media("audio"),
        "text-resource": _render_resource("text", "text"),
        "blob-resource": _render_resource("data", "blob"),
    }
)
