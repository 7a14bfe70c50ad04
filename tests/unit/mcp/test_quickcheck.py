from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wasmoor_runtime.mcp.arguments import Arguments
from wasmoor_runtime.mcp.quickcheck import compile_check
from wasmoor_runtime.wit import schema, types

KINDS: dict[str, types.Type] = {
    "flag": types.Bool(),
    "small": types.Integer(bits=8, signed=True),
    "large": types.Integer(bits=64, signed=True),
    "ratio": types.Float(bits=64),
    "word": types.String(),
    "words": types.List(element=types.String()),
    "size": types.Enum(names=("s", "m")),
    "perhaps": types.Option(payload=types.Integer(bits=16, signed=False)),
    "pair": types.Tuple(elements=(types.Bool(), types.String())),
}
FIELDS = tuple(types.Field(name=name, type=kind) for name, kind in KINDS.items())
ARGUMENTS = schema.input_schema(types.Signature(parameters=FIELDS, result=None))

GOOD = {
    "flag": True, "small": -128, "large": 9007199254740991, "ratio": 1.5, "word": "w", "words": ["a", ""],
    "size": "m", "perhaps": None, "pair": [False, "x"],
}  # fmt: skip

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3)
VALUES = SCALARS | st.sampled_from(["s", "m", "-5", "NaN"]) | st.lists(SCALARS, max_size=3)


def test_usual_arguments_are_known_to_fit_without_a_library() -> None:
    assert compile_check(ARGUMENTS)(GOOD)
    assert compile_check(ARGUMENTS)({name: value for name, value in GOOD.items() if name != "perhaps"})


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from([*GOOD, "extra"]), VALUES))
def test_what_is_known_to_fit_does_fit(changes: dict[str, Any]) -> None:
    given_arguments = GOOD | changes
    if compile_check(ARGUMENTS)(given_arguments):
        assert Arguments(ARGUMENTS).explain(given_arguments) == ""


@pytest.mark.parametrize(
    "wrong",
    [
        {"flag": 1}, {"small": True}, {"small": 200}, {"small": 1.0}, {"word": None}, {"words": [1]}, {"words": "a"},
        {"size": "l"}, {"pair": [True]}, {"extra": 1}, {"ratio": "one"},
    ],
)  # fmt: skip
def test_what_does_not_fit_is_not_known_to_fit(wrong: dict[str, Any]) -> None:
    assert not compile_check(ARGUMENTS)(GOOD | wrong)


def test_a_missing_argument_is_not_known_to_fit() -> None:
    assert not compile_check(ARGUMENTS)({})


@pytest.mark.parametrize(
    "unknown",
    [
        {}, {"type": "string", "pattern": "^a"}, {"type": ["string", "null"]}, {"type": "object"}, {"const": 1},
        {"type": "integer", "minimum": 0}, {"anyOf": [{"type": "string"}], "not": {}}, {"type": "strange"},
        {"type": "array"},
    ],
)  # fmt: skip
def test_schemas_with_other_keywords_are_left_to_the_library(unknown: dict[str, Any]) -> None:
    check = compile_check(unknown)
    values: list[Any] = ["abc", 1, None, [1], {}]
    assert not any(check(value) for value in values)
