"""A quick look at arguments that says "these certainly fit the schema", or nothing. Pure.

Validating with a JSON Schema library takes as long as the rest of a small call. Tools' schemas are made of a dozen
keywords (`wit.schema`), for which a few nested functions do. They answer True only when the schema surely holds; for
everything else, unknown keywords included, `arguments` decides and explains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], bool]

# Keywords that say nothing about whether a value fits (JSON Schema 2020-12, Validation, 8 and 9).
_ANNOTATIONS = frozenset({"title", "description", "contentEncoding"})


def compile_check(schema: Mapping[str, Any]) -> Check:
    """Return a function that is True for values which certainly fit `schema`."""
    keywords = frozenset(schema) - _ANNOTATIONS
    if keywords == {"anyOf"} and isinstance(schema["anyOf"], list):
        branches = tuple(compile_check(each) for each in schema["anyOf"])
        return lambda value: any(branch(value) for branch in branches)
    kind = schema.get("type")
    allowed, compile_kind = _KINDS.get(kind, (frozenset(), _never)) if isinstance(kind, str) else (frozenset(), _never)
    return compile_kind(schema) if keywords <= allowed else _unsure


def _unsure(_value: Any) -> bool:
    return False


def _never(_schema: Mapping[str, Any]) -> Check:
    return _unsure


def _compile_null(_schema: Mapping[str, Any]) -> Check:
    return lambda value: value is None


def _compile_boolean(_schema: Mapping[str, Any]) -> Check:
    return lambda value: value is True or value is False


def _compile_integer(schema: Mapping[str, Any]) -> Check:
    low, high = schema.get("minimum"), schema.get("maximum")
    # `type`, because to Python True is an int, and to JSON Schema it is not.
    if type(low) is int and type(high) is int:
        return lambda value: type(value) is int and low <= value <= high
    return _unsure if {"minimum", "maximum"} & schema.keys() else lambda value: type(value) is int


def _compile_number(_schema: Mapping[str, Any]) -> Check:
    return lambda value: type(value) is float or type(value) is int


def _compile_string(schema: Mapping[str, Any]) -> Check:
    if "enum" not in schema:
        return lambda value: type(value) is str
    names = frozenset(name for name in schema["enum"] if isinstance(name, str))
    return lambda value: type(value) is str and value in names


def _compile_array(schema: Mapping[str, Any]) -> Check:
    item = compile_check(schema["items"]) if "items" in schema else _unsure
    low, high = schema.get("minItems", 0), schema.get("maxItems", float("inf"))
    return lambda value: type(value) is list and low <= len(value) <= high and all(map(item, value))


def _compile_object(schema: Mapping[str, Any]) -> Check:
    if schema.get("additionalProperties") is not False:
        return _unsure
    checks = {name: compile_check(each) for name, each in schema.get("properties", {}).items()}
    required = frozenset(schema.get("required", ()))

    def check(value: Any) -> bool:
        if type(value) is not dict or not required <= value.keys():
            return False
        for name, each in value.items():
            known = checks.get(name)
            if known is None or not known(each):
                return False
        return True

    return check


_KINDS: Mapping[str, tuple[frozenset[str], Callable[[Mapping[str, Any]], Check]]] = {
    "null": (frozenset({"type"}), _compile_null),
    "boolean": (frozenset({"type"}), _compile_boolean),
    "integer": (frozenset({"type", "minimum", "maximum"}), _compile_integer),
    "number": (frozenset({"type"}), _compile_number),
    "string": (frozenset({"type", "enum"}), _compile_string),
    "array": (frozenset({"type", "items", "minItems", "maxItems"}), _compile_array),
    "object": (frozenset({"type", "properties", "required", "additionalProperties"}), _compile_object),
}
