"""JSON values to neutral Python values of a WIT type, and back.

A neutral value is what `engine` lowers into a component: `bool`, `int`, `float`, `str`, `bytes` for `list<u8>`, `list`,
`tuple` for tuples, `dict` for records, `Tagged` for variants, results and options (tags `some` and `none`), `str` for
enums, `frozenset` of names for flags. Pure; called by workers for every call.

Arguments come from outside: every fault in them is an `InvalidValue` with a JSON pointer (RFC 6901) and what was
expected. It must not hold the value itself, which may be a secret.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from wasmoor_runtime.wit import types
from wasmoor_runtime.wit.schema import DOUBLE_BITS, EXACT_INTEGER, NAMED_FLOATS

LARGEST_F32 = (2 - 2**-23) * 2.0**127
# What rounds to LARGEST_F32 rather than to infinity lies below this.
_F32_OVERFLOW = (2 - 2**-24) * 2.0**127
_LONGEST_INTEGER = 20  # digits of the largest u64
_SURROGATES = range(0xD800, 0xE000)


class Tagged(NamedTuple):
    """A value of a variant, result or option."""

    tag: str
    payload: Any = None


NONE = Tagged("none")


class InvalidValue(Exception):
    """A JSON value that is none of the type: where it is, and what was expected there."""

    def __init__(self, pointer: str, expected: str) -> None:
        super().__init__(f"{pointer or 'the arguments'}: expected {expected}")
        self.pointer = pointer
        self.expected = expected


def parse_arguments(document: object, parameters: tuple[types.Field, ...]) -> list[Any]:
    """Return the neutral values of a call's arguments in the order of the parameters."""
    fields = _parse_fields(document, parameters, "")
    return [fields[each.name] for each in parameters]


def parse_value(document: object, kind: types.Type, pointer: str = "") -> Any:
    """Return the neutral value of one JSON value; `InvalidValue` when it is none of the type."""
    return _PARSERS[type(kind)](document, kind, pointer)


def render_value(value: Any, kind: types.Type | None) -> Any:
    """Return the JSON value of a neutral value that belongs to the type."""
    return None if kind is None else _RENDERERS[type(kind)](value, kind)


def _step(pointer: str, key: str | int) -> str:
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"


def _parse_bool(document: object, _kind: types.Bool, pointer: str) -> bool:
    if not isinstance(document, bool):
        raise InvalidValue(pointer, "true or false")
    return document


def _parse_integer(document: object, kind: types.Integer, pointer: str) -> int:
    number = _whole_number(document, kind)
    if number is None or not kind.minimum <= number <= kind.maximum:
        raise InvalidValue(pointer, f"a whole number from {kind.minimum} to {kind.maximum}")
    return number


def _whole_number(document: object, kind: types.Integer) -> int | None:
    """Return the integer that JSON text may spell as 3, 3.0 or, for 64 bits, "3"."""
    if isinstance(document, bool):
        return None
    if isinstance(document, int):
        return document
    if isinstance(document, float) and document.is_integer() and abs(document) <= EXACT_INTEGER:
        return int(document)
    if isinstance(document, str) and kind.bits == DOUBLE_BITS:
        digits = document.removeprefix("-")
        if digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_INTEGER:
            return int(document)
    return None


def _parse_float(document: object, kind: types.Float, pointer: str) -> float:
    if isinstance(document, str) and document in NAMED_FLOATS:
        return float(document)
    if isinstance(document, bool) or not isinstance(document, int | float):
        raise InvalidValue(pointer, f"a number or one of {', '.join(map(repr, NAMED_FLOATS))}")
    try:
        number = float(document)
    except OverflowError:
        number = math.inf
    limit = math.inf if kind.bits == DOUBLE_BITS else _F32_OVERFLOW
    if not abs(number) < limit:
        raise InvalidValue(pointer, f"a number that fits {kind.bits} bits")
    return number


def _is_text(document: object) -> bool:
    """True for a string of Unicode scalar values: JSON can spell lone surrogates, WIT strings cannot hold them."""
    if not isinstance(document, str):
        return False
    try:
        document.encode()
    except UnicodeEncodeError:
        return False
    return True


def _parse_char(document: object, _kind: types.Char, pointer: str) -> str:
    if not isinstance(document, str) or len(document) != 1 or ord(document) in _SURROGATES:
        raise InvalidValue(pointer, "a string of one character")
    return document


def _parse_string(document: object, _kind: types.String, pointer: str) -> str:
    if not isinstance(document, str) or not _is_text(document):
        raise InvalidValue(pointer, "a string of valid Unicode")
    return document


def _parse_list(document: object, kind: types.List, pointer: str) -> list[Any] | bytes:
    if kind.is_bytes:
        return _parse_bytes(document, pointer)
    if not isinstance(document, list):
        raise InvalidValue(pointer, "an array")
    parse = _PARSERS[type(kind.element)]
    return [parse(each, kind.element, _step(pointer, index)) for index, each in enumerate(document)]


def _parse_bytes(document: object, pointer: str) -> bytes:
    expected = InvalidValue(pointer, "a base64 string")
    if not isinstance(document, str):
        raise expected
    try:
        return base64.b64decode(document, validate=True)
    except (binascii.Error, ValueError):
        raise expected from None


def _parse_fields(document: object, fields: Iterable[types.Field], pointer: str) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise InvalidValue(pointer, "an object")
    parsed = {}
    for each in fields:
        inner = _step(pointer, each.name)
        if each.name in document:
            parsed[each.name] = parse_value(document[each.name], each.type, inner)
        elif isinstance(each.type, types.Option):
            parsed[each.name] = NONE
        else:
            raise InvalidValue(inner, f"a value ({types.describe(each.type)}), it is missing")
    unknown = document.keys() - parsed.keys()
    if unknown:
        known = ", ".join(parsed) or "none"
        raise InvalidValue(_step(pointer, min(unknown)), f"no such property (known: {known})")
    return parsed


def _parse_tuple(document: object, kind: types.Tuple, pointer: str) -> tuple[Any, ...]:
    if not isinstance(document, list) or len(document) != len(kind.elements):
        raise InvalidValue(pointer, f"an array of {len(kind.elements)}")
    pairs = zip(document, kind.elements, strict=True)
    return tuple(parse_value(each, inner, _step(pointer, index)) for index, (each, inner) in enumerate(pairs))


def _parse_case(document: object, kind: types.Variant | types.Result, pointer: str) -> Tagged:
    tags = [case.tag for case in kind.cases]
    if not isinstance(document, dict) or "tag" not in document:
        raise InvalidValue(pointer, f"an object with a `tag` (one of {', '.join(tags)})")
    for case in kind.cases:
        if case.tag == document["tag"]:
            fields = () if case.type is None else (types.Field("val", case.type),)
            rest = {key: value for key, value in document.items() if key != "tag"}
            return Tagged(case.tag, _parse_fields(rest, fields, pointer).get("val"))
    raise InvalidValue(_step(pointer, "tag"), f"one of {', '.join(tags)}")


def _parse_option(document: object, kind: types.Option, pointer: str) -> Tagged:
    if document is None:
        return NONE
    if not isinstance(kind.payload, types.Option):
        return Tagged("some", parse_value(document, kind.payload, pointer))
    if not isinstance(document, dict) or document.keys() != {"some"}:
        raise InvalidValue(pointer, "null or an object with `some` and nothing else")
    return Tagged("some", parse_value(document["some"], kind.payload, _step(pointer, "some")))


def _parse_enum(document: object, kind: types.Enum, pointer: str) -> str:
    if not isinstance(document, str) or document not in kind.names:
        raise InvalidValue(pointer, f"one of {', '.join(kind.names)}")
    return document


def _parse_flags(document: object, kind: types.Flags, pointer: str) -> frozenset[str]:
    if not isinstance(document, list):
        raise InvalidValue(pointer, f"an array of {', '.join(kind.names)}")
    for index, each in enumerate(document):
        if not isinstance(each, str) or each not in kind.names:
            raise InvalidValue(_step(pointer, index), f"one of {', '.join(kind.names)}")
    return frozenset(document)


def _render_integer(value: int, kind: types.Integer) -> int | str:
    return str(value) if kind.bits == DOUBLE_BITS and abs(value) > EXACT_INTEGER else value


def _render_float(value: float, _kind: types.Float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else NAMED_FLOATS[1 if value > 0 else 2]


def _render_list(value: Any, kind: types.List) -> str | list[Any]:
    if kind.is_bytes:
        return base64.b64encode(value).decode("ascii")
    render = _RENDERERS[type(kind.element)]
    return [render(each, kind.element) for each in value]


def _render_case(value: Tagged, kind: types.Variant | types.Result) -> dict[str, Any]:
    for case in kind.cases:
        if case.tag == value.tag and case.type is not None:
            return {"tag": value.tag, "val": render_value(value.payload, case.type)}
    return {"tag": value.tag}


def _render_option(value: Tagged, kind: types.Option) -> Any:
    if value.tag == "none":
        return None
    inner = render_value(value.payload, kind.payload)
    return {"some": inner} if isinstance(kind.payload, types.Option) else inner


def _as_is(value: Any, _kind: types.Type) -> Any:
    return value


_PARSERS: dict[type, Callable[[Any, Any, str], Any]] = {
    types.Bool: _parse_bool,
    types.Integer: _parse_integer,
    types.Float: _parse_float,
    types.Char: _parse_char,
    types.String: _parse_string,
    types.List: _parse_list,
    types.Record: lambda document, kind, pointer: _parse_fields(document, kind.fields, pointer),
    types.Tuple: _parse_tuple,
    types.Variant: _parse_case,
    types.Result: _parse_case,
    types.Option: _parse_option,
    types.Enum: _parse_enum,
    types.Flags: _parse_flags,
}

_RENDERERS: dict[type, Callable[[Any, Any], Any]] = {
    types.Bool: _as_is,
    types.Integer: _render_integer,
    types.Float: _render_float,
    types.Char: _as_is,
    types.String: _as_is,
    types.List: _render_list,
    types.Record: lambda value, kind: {each.name: render_value(value[each.name], each.type) for each in kind.fields},
    types.Tuple: lambda value, kind: [render_value(*pair) for pair in zip(value, kind.elements, strict=True)],
    types.Variant: _render_case,
    types.Result: _render_case,
    types.Option: _render_option,
    types.Enum: _as_is,
    types.Flags: lambda value, kind: [name for name in kind.names if name in value],
}
