"""Answers that are meant to be looked at: the `block` of `wasmoor:mcp/content@0.1.0` (runtime/wit/mcp.wit).

A function whose result is a list of blocks answers with them as they are, rather than with a value. The shape decides:
wasmtime tells no names of types, and nobody else has a variant of these five cases by chance. Pure.
"""

from __future__ import annotations

from wasmoor_runtime.wit import types

_TEXT = types.String()
_BYTES = types.List(types.U8)
_MEDIA = types.Record((types.Field("data", _BYTES), types.Field("mime-type", _TEXT)))


def _resource(name: str, kind: types.Type) -> types.Record:
    mime_type = types.Field("mime-type", types.Option(_TEXT))
    return types.Record((types.Field("uri", _TEXT), mime_type, types.Field(name, kind)))


BLOCK = types.Variant(
    (
        types.Case("text", _TEXT),
        types.Case("image", _MEDIA),
        types.Case("audio", _MEDIA),
        types.Case("text-resource", _resource("text", _TEXT)),
        types.Case("blob-resource", _resource("data", _BYTES)),
    )
)


def is_content(signature: types.Signature) -> bool:
    """Return whether a function answers with blocks: `list<block>`, or a result of it."""
    kind = signature.result
    if isinstance(kind, types.Result):
        kind = kind.ok
    return kind == types.List(BLOCK)
