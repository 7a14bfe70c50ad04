from __future__ import annotations

from typing import Any

import pytest

from wasmoor_runtime.mcp.arguments import Arguments, render_arguments

SCHEMA = {
    "type": "object",
    "properties": {"a/b": {"type": "array", "items": {"type": "integer"}, "maxItems": 3}, "c": {"enum": ["x", "y"]}},
    "required": ["c"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"c": "x"}, ""),
        ({}, "at /: missing c"),
        ({"c": "x", "a/b": [1, "2"]}, "at /a~1b/1: expected integer"),
        ({"c": "z"}, "at /c: expected one of x, y"),
        ({"c": "x", "d": 1}, "at /: a property that is not known here; known are a/b, c"),
        ({"c": "x", "a/b": [1, 2, 3, 4]}, "at /a~1b: expected a value with maxItems 3"),
    ],
)
def test_the_sentence_names_where_and_what(arguments: dict[str, Any], sentence: str) -> None:
    assert Arguments(SCHEMA).explain(arguments) == sentence


def test_a_choice_is_explained_by_the_branch_that_fits_best() -> None:
    number = {"type": "object", "properties": {"tag": {"enum": ["n"]}, "val": {"type": "number"}}}
    schema = {"type": "object", "properties": {"v": {"anyOf": [{"type": "null"}, number]}}}
    assert Arguments(schema).explain({"v": {"tag": "n", "val": "1"}}) == "at /v/val: expected number"


@pytest.mark.parametrize("value", ["hunter2", {"hunter2": "hunter2"}, ["hunter2"]])
def test_the_sentence_never_holds_the_value(value: Any) -> None:
    for arguments in ({"c": value}, {"c": "x", "a/b": value}, {"c": "x", "hunter2": value}):
        sentence = Arguments(SCHEMA).explain(arguments)
        assert sentence
        assert "hunter2" not in sentence


def test_arguments_that_json_has_no_word_for_are_refused() -> None:
    assert render_arguments({"text": "hé"}) == b'{"text":"h\\u00e9"}'
    with pytest.raises(ValueError, match="numbers must be finite"):
        render_arguments({"x": float("nan")})


def test_arguments_nested_too_deep_are_refused() -> None:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(ValueError, match="nested too deep"):
        render_arguments({"x": nested})
