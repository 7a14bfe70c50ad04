from __future__ import annotations

from typing import Any

import pytest

from wasmoor_runtime.mcp.arguments import Arguments, render_arguments

SCHEMA = {
    "type": "object",
    "properties": {"a/b": {"type": "array", "items": {"type": "integer"}}, "c": {"enum": ["x", "y"]}},
    "required": ["c"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"c": "x"}, ""),
        ({}, "at /: 'c' is a required property"),
        ({"c": "x", "a/b": [1, "2"]}, "at /a~1b/1: '2' is not of type 'integer'"),
        ({"c": "z"}, "at /c: 'z' is not one of ['x', 'y']"),
    ],
)
def test_the_sentence_names_where_and_what(arguments: dict[str, Any], sentence: str) -> None:
    assert Arguments(SCHEMA).explain(arguments) == sentence


def test_a_huge_value_is_not_repeated_at_length() -> None:
    assert len(Arguments(SCHEMA).explain({"c": "z" * 100_000})) < 500


def test_arguments_that_json_has_no_word_for_are_refused() -> None:
    assert render_arguments({"text": "hé"}) == b'{"text":"h\\u00e9"}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        render_arguments({"x": float("nan")})


def test_arguments_nested_too_deep_are_refused() -> None:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(ValueError, match="nested too deep"):
        render_arguments({"x": nested})
