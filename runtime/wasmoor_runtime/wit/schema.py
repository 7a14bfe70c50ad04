"""JSON Schema (2020-12) for WIT types, in the subset that the large model APIs accept.

Objects are closed and inline (`$ref` and combinators at the root are refused by some clients), single values are
one-valued `enum`s, tuples are arrays of a fixed length. `values` accepts and produces exactly what these schemas say,
and accepts a little more on the way in (an integer written as `3.0`). Pure; called by `engine` when a component loads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from wasmoor_runtime.wit import types

Schema = dict[str, Any]

# Integers beyond this lose digits in clients whose only number is a double.
EXACT_INTEGER = (1 << 53) - 1
DOUBLE_BITS = 64

NAMED_FLOATS = ("NaN", "Infinity", "-Infinity")


def input_schema(signature: types.Signature) -> Schema:
    """Return the schema of a call's arguments: an object with a property for every parameter."""
    return _object(signature.parameters)


def output_schema(signature: types.Signature) -> Schema:
    """Return the schema of a call's result: `{"result": …}`; the `err` of a top-level result never appears in it."""
    kind = signature.result
    if isinstance(kind, types.Result):
        kind = kind.ok
    inner: Schema = {"type": "null"} if kind is None else type_schema(kind)
    return _closed({"result": inner}, ["result"])


def type_schema(kind: types.Type) -> Schema:
    """Return the schema of one type; `TypeError` for one that has no JSON form."""
    render = _RENDERERS.get(type(kind))
    if render is None:
        raise TypeError(f"{kind} has no JSON form")
    return render(kind)


def _closed(properties: Schema, required: list[str]) -> Schema:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _object(fields: Iterable[types.Field]) -> Schema:
    listed = tuple(fields)
    return _closed(
        {each.name: type_schema(each.type) for each in listed},
        [each.name for each in listed if not isinstance(each.type, types.Option)],
    )


def _integer(kind: types.Integer) -> Schema:
    if kind.bits < DOUBLE_BITS:
        return {"type": "integer", "minimum": kind.minimum, "maximum": kind.maximum}
    sign = "-?" if kind.signed else ""
    return {
        "anyOf": [
            {"type": "integer", "minimum": max(kind.minimum, -EXACT_INTEGER), "maximum": EXACT_INTEGER},
            {"type": "string", "pattern": f"^{sign}[0-9]{{1,20}}$"},
        ],
        "description": f"A whole number from {kind.minimum} to {kind.maximum}; as a string beyond {EXACT_INTEGER}.",
    }


def _float(_kind: types.Float) -> Schema:
    return {"anyOf": [{"type": "number"}, {"type": "string", "enum": list(NAMED_FLOATS)}]}


def _list(kind: types.List) -> Schema:
    if kind.is_bytes:
        return {"type": "string", "contentEncoding": "base64", "description": "Bytes, base64-encoded."}
    return {"type": "array", "items": type_schema(kind.element)}


def _tuple(kind: types.Tuple) -> Schema:
    count = len(kind.elements)
    schemas = [type_schema(each) for each in kind.elements]
    distinct = [schema for index, schema in enumerate(schemas) if schema not in schemas[:index]]
    items = {"anyOf": distinct} if len(distinct) > 1 else next(iter(distinct), {})
    order = types.shorten(", ".join(types.describe(each) for each in kind.elements))
    described = f"In this order: {order}."
    return {"type": "array", "items": items, "minItems": count, "maxItems": count, "description": described}


def _cases(kind: types.Variant | types.Result) -> Schema:
    return {"anyOf": [_case(case) for case in kind.cases]}


def _case(case: types.Case) -> Schema:
    tag: Schema = {"type": "string", "enum": [case.tag]}
    if case.type is None:
        return _closed({"tag": tag}, ["tag"])
    return _closed({"tag": tag, "val": type_schema(case.type)}, ["tag", "val"])


def _option(kind: types.Option) -> Schema:
    inner = type_schema(kind.payload)
    if isinstance(kind.payload, types.Option):
        # `null` would be ambiguous: the outer "some" is spelt out.
        inner = _closed({"some": inner}, ["some"])
    return {"anyOf": [inner, {"type": "null"}]}


_RENDERERS: dict[type, Callable[[Any], Schema]] = {
    types.Bool: lambda _: {"type": "boolean"},
    types.Integer: _integer,
    types.Float: _float,
    types.Char: lambda _: {"type": "string", "minLength": 1, "maxLength": 1},
    types.String: lambda _: {"type": "string"},
    types.List: _list,
    types.Record: lambda kind: _object(kind.fields),
    types.Tuple: _tuple,
    types.Variant: _cases,
    types.Result: _cases,
    types.Option: _option,
    types.Enum: lambda kind: {"type": "string", "enum": list(kind.names)},
    types.Flags: lambda kind: {"type": "array", "items": {"type": "string", "enum": list(kind.names)}},
}
