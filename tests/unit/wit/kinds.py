"""WIT types and JSON values of them, drawn by hypothesis."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from wasmoor_runtime.wit import schema, types

# Words that JSON's own spelling of values uses are among the names.
NAMES = ("a", "b1", "light-blue", "tag", "val", "some", "none", "ok", "err", "result", "null", "x-y-z", "type", "items")
SCALARS: tuple[types.Type, ...] = (
    types.Bool(),
    *(types.Integer(bits, signed=signed) for bits in (8, 16, 32, 64) for signed in (True, False)),
    types.Float(32),
    types.Float(64),
    types.Char(),
    types.String(),
)


def names(most: int = 5) -> st.SearchStrategy[tuple[str, ...]]:
    """Draw different names."""
    return st.lists(st.sampled_from(NAMES), min_size=1, max_size=most, unique=True).map(tuple)


def _compound(inner: st.SearchStrategy[types.Type]) -> st.SearchStrategy[types.Type]:
    maybe = st.none() | inner
    fields = names().flatmap(lambda drawn: st.tuples(*(st.builds(types.Field, st.just(name), inner) for name in drawn)))
    cases = names().flatmap(lambda drawn: st.tuples(*(st.builds(types.Case, st.just(tag), maybe) for tag in drawn)))
    return st.one_of(
        st.builds(types.List, inner),
        st.builds(types.Option, inner),
        st.builds(types.Result, maybe, maybe),
        st.builds(types.Tuple, st.lists(inner, min_size=1, max_size=4).map(tuple)),
        st.builds(types.Record, fields),
        st.builds(types.Variant, cases),
    )


KINDS: st.SearchStrategy[types.Type] = st.recursive(
    st.sampled_from(SCALARS) | st.builds(types.Enum, names()) | st.builds(types.Flags, names(14)),
    _compound,
    max_leaves=8,
)


def documents(kind: types.Type) -> st.SearchStrategy[Any]:
    """Draw JSON values of a type, each in the one spelling that comes back."""
    return _DOCUMENTS[type(kind)](kind)


def _integers(kind: types.Integer) -> st.SearchStrategy[Any]:
    numbers = st.integers(kind.minimum, kind.maximum) | st.sampled_from([kind.minimum, kind.maximum, 0])
    return numbers.map(lambda value: str(value) if abs(value) > schema.EXACT_INTEGER else value)


def _floats(kind: types.Float) -> st.SearchStrategy[Any]:
    finite = st.floats(allow_nan=False, allow_infinity=False, width=32 if kind.bits == 32 else 64)
    return finite | st.sampled_from(schema.NAMED_FLOATS)


def _lists(kind: types.List) -> st.SearchStrategy[Any]:
    if kind.is_bytes:
        return st.binary(max_size=20).map(lambda data: base64.b64encode(data).decode())
    return st.lists(documents(kind.element), max_size=4)


def _options(kind: types.Option) -> st.SearchStrategy[Any]:
    some = documents(kind.payload)
    return st.none() | (some.map(lambda value: {"some": value}) if isinstance(kind.payload, types.Option) else some)


def _flags(kind: types.Flags) -> st.SearchStrategy[Any]:
    return st.sets(st.sampled_from(kind.names)).map(lambda chosen: [name for name in kind.names if name in chosen])


def _cases(kind: types.Variant | types.Result) -> st.SearchStrategy[Any]:
    return st.one_of([_case(case) for case in kind.cases])


def _case(case: types.Case) -> st.SearchStrategy[Any]:
    if case.type is None:
        return st.just({"tag": case.tag})
    return documents(case.type).map(lambda value: {"tag": case.tag, "val": value})


_CHARACTERS = st.characters(exclude_categories=["Cs"])
_DOCUMENTS: dict[type, Callable[[Any], st.SearchStrategy[Any]]] = {
    types.Bool: lambda _: st.booleans(),
    types.Integer: _integers,
    types.Float: _floats,
    types.Char: lambda _: _CHARACTERS,
    types.String: lambda _: st.text(_CHARACTERS, max_size=20),
    types.Enum: lambda kind: st.sampled_from(kind.names),
    types.Flags: _flags,
    types.List: _lists,
    types.Tuple: lambda kind: st.tuples(*map(documents, kind.elements)).map(list),
    types.Record: lambda kind: st.fixed_dictionaries({each.name: documents(each.type) for each in kind.fields}),
    types.Option: _options,
    types.Variant: _cases,
    types.Result: _cases,
}
