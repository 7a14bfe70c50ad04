from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasmoor_runtime.wit import schema, types, values
from wasmoor_runtime.wit.values import NONE, InvalidValue, Tagged

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.lists(st.from_regex(r"[a-z]{1,6}", fullmatch=True), min_size=1, max_size=4, unique=True)

INTEGERS = st.sampled_from([types.Integer(bits, signed=signed) for bits in (8, 16, 32, 64) for signed in (True, False)])
SCALARS: st.SearchStrategy[types.Type] = st.one_of(
    st.just(types.Bool()),
    INTEGERS,
    st.just(types.Float(64)),
    st.just(types.Char()),
    st.just(types.String()),
    st.just(types.List(types.U8)),
    NAMES.map(lambda names: types.Enum(tuple(names))),
    NAMES.map(lambda names: types.Flags(tuple(names))),
)


def compound(inner: st.SearchStrategy[types.Type]) -> st.SearchStrategy[types.Type]:
    optional = st.one_of(st.none(), inner)
    fields = NAMES.flatmap(lambda names: st.tuples(*(st.builds(types.Field, st.just(name), inner) for name in names)))
    cases = NAMES.flatmap(lambda names: st.tuples(*(st.builds(types.Case, st.just(name), optional) for name in names)))
    return st.one_of(
        st.builds(types.List, inner),
        st.builds(types.Option, inner),
        st.builds(types.Result, optional, optional),
        st.builds(types.Record, fields),
        st.builds(types.Variant, cases),
        st.builds(types.Tuple, st.lists(inner, min_size=1, max_size=3).map(tuple)),
    )


TYPES = st.recursive(SCALARS, compound, max_leaves=8)


STRATEGIES: dict[type, Callable[[Any], st.SearchStrategy[Any]]] = {
    types.Bool: lambda _: st.booleans(),
    types.Integer: lambda kind: st.integers(kind.minimum, kind.maximum),
    types.Float: lambda _: st.floats(allow_nan=False),
    types.Char: lambda _: st.characters(exclude_categories=["Cs"]),
    types.String: lambda _: TEXT,
    types.List: lambda kind: st.binary(max_size=20) if kind.is_bytes else st.lists(neutral(kind.element), max_size=3),
    types.Record: lambda kind: st.fixed_dictionaries({each.name: neutral(each.type) for each in kind.fields}),
    types.Tuple: lambda kind: st.tuples(*(neutral(each) for each in kind.elements)),
    types.Variant: lambda kind: st.one_of(*(tagged(case) for case in kind.cases)),
    types.Result: lambda kind: st.one_of(*(tagged(case) for case in kind.cases)),
    types.Option: lambda kind: st.one_of(st.just(NONE), neutral(kind.payload).map(lambda value: Tagged("some", value))),
    types.Enum: lambda kind: st.sampled_from(kind.names),
    types.Flags: lambda kind: st.frozensets(st.sampled_from(kind.names)),
}


def neutral(kind: types.Type) -> st.SearchStrategy[Any]:
    """Return neutral values of a type."""
    return STRATEGIES[type(kind)](kind)


def tagged(case: types.Case) -> st.SearchStrategy[Tagged]:
    return st.just(Tagged(case.tag)) if case.type is None else neutral(case.type).map(lambda v: Tagged(case.tag, v))


TYPED_VALUES = TYPES.flatmap(lambda kind: st.tuples(st.just(kind), neutral(kind)))


@given(TYPED_VALUES)
def test_every_value_passes_through_json_text_unchanged_and_fits_its_schema(typed: tuple[types.Type, Any]) -> None:
    kind, value = typed

    document = json.loads(json.dumps(values.render_value(value, kind), allow_nan=False))

    assert values.parse_value(document, kind) == value
    jsonschema.validate(document, schema.type_schema(kind))


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=10,
)


@given(TYPES, JSON)
def test_any_json_is_either_a_value_or_refused_with_a_pointer(kind: types.Type, document: Any) -> None:
    try:
        value = values.parse_value(document, kind)
    except InvalidValue as error:
        assert error.expected  # noqa: PT017 - both ends are fine, anything else is not
    else:
        assert values.parse_value(values.render_value(value, kind), kind) == value


def test_not_a_number_passes_as_a_string() -> None:
    parsed = values.parse_value("NaN", types.Float(64))

    assert math.isnan(parsed)
    assert values.render_value(parsed, types.Float(32)) == "NaN"


@pytest.mark.parametrize(
    ("kind", "document", "message"),
    [
        (types.Bool(), 1, "the arguments: expected true or false"),
        (types.U8, 256, "the arguments: expected a whole number from 0 to 255"),
        (types.U8, True, "the arguments: expected a whole number from 0 to 255"),
        (types.U8, "3", "the arguments: expected a whole number from 0 to 255"),
        (types.U8, 3.5, "the arguments: expected a whole number from 0 to 255"),
        (types.Float(32), 1e39, "the arguments: expected a number that fits 32 bits"),
        (types.Float(64), 10**400, "the arguments: expected a number that fits 64 bits"),
        (types.Char(), "ab", "the arguments: expected a string of one character"),
        (types.Char(), "\ud800", "the arguments: expected a string of one character"),
        (types.String(), "\ud800", "the arguments: expected a string of valid Unicode"),
        (types.List(types.U8), "?", "the arguments: expected a base64 string"),
        (types.List(types.U8), "ä", "the arguments: expected a base64 string"),
        (types.List(types.Bool()), [True, 0], "/1: expected true or false"),
        (types.Tuple((types.Bool(),)), [], "the arguments: expected an array of 1"),
        (types.Enum(("a", "b")), "c", "the arguments: expected one of a, b"),
        (types.Flags(("a", "b")), ["a", "c"], "/1: expected one of a, b"),
        (types.Record((types.Field("a/b", types.Bool()),)), {"a/b": 1}, "/a~1b: expected true or false"),
        (types.Record((types.Field("a", types.Bool()),)), {}, "/a: expected a value (bool), it is missing"),
        (types.Record(()), {"b": 1}, "/b: expected no such property (known: none)"),
        (types.Variant((types.Case("a", None),)), {"tag": "b"}, "/tag: expected one of a"),
        (types.Variant((types.Case("a", None),)), {"tag": "a", "val": 1}, "/val: expected no such property"),
        (types.Result(types.Bool(), None), {"tag": "ok"}, "/val: expected a value (bool), it is missing"),
        (types.Option(types.Option(types.Bool())), True, "the arguments: expected null or an object with `some`"),
    ],
)
def test_what_is_no_value_of_a_type_is_named_with_its_place(kind: types.Type, document: Any, message: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        values.parse_value(document, kind)

    assert str(raised.value).startswith(message)


def test_a_message_never_repeats_the_value() -> None:
    with pytest.raises(InvalidValue) as raised:
        values.parse_value({"password": "swordfish"}, types.Record((types.Field("password", types.Bool()),)))

    assert "swordfish" not in str(raised.value)


@pytest.mark.parametrize(
    ("document", "expected"),
    [(3, 3), (3.0, 3), ("3", 3), ("-9223372036854775808", -(2**63)), (2**63 - 1, 2**63 - 1)],
)
def test_a_large_integer_may_be_written_as_a_number_or_as_a_string(document: Any, expected: int) -> None:
    assert values.parse_value(document, types.Integer(64, signed=True)) == expected


def test_arguments_come_in_the_order_of_the_parameters_and_options_may_be_absent() -> None:
    parameters = (types.Field("a", types.Bool()), types.Field("b", types.Option(types.U8)), types.Field("c", types.U8))

    assert values.parse_arguments({"c": 1, "a": True}, parameters) == [True, NONE, 1]


def test_nested_options_are_told_apart() -> None:
    kind = types.Option(types.Option(types.Bool()))

    documents = [None, {"some": None}, {"some": True}]

    parsed = [values.parse_value(each, kind) for each in documents]
    assert parsed == [NONE, Tagged("some", NONE), Tagged("some", Tagged("some", True))]
    assert [values.render_value(each, kind) for each in parsed] == documents
