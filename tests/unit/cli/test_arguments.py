from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wasmoor_runtime.cli.arguments import LARGEST, parse_arguments, parse_parameters
from wasmoor_runtime.cli.problems import UserError

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "count": {"type": "integer", "maximum": 9},
        "ratio": {"anyOf": [{"type": "number"}, {"type": "string", "enum": ["NaN"]}]},
        "exact": {"type": "boolean"},
        "names": {"type": "array", "items": {"type": "string"}},
        "case": {"type": "string", "enum": ["kebab", "snake"]},
        "limit": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "id": {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^[0-9]+$"}], "description": "A number."},
    },
}


def test_arguments_are_json_a_file_or_standard_input(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": 2}', "utf-8")
    assert parse_arguments('{"a": 1}') == {"a": 1}
    assert parse_arguments(f"@{tmp_path}/a.json") == {"a": 2}
    assert parse_arguments("-", lambda: b'{"a": 3}') == {"a": 3}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "--args: no JSON"),
        ("[1]", "--args: write a JSON object"),
        ("[" * 100_000, "--args: nested too deep"),
        ("@/nope/a.json", "--args @/nope/a.json: /nope/a.json: no such file"),
        ("@/", "--args @/: /: is a directory"),
    ],
)
def test_what_is_wrong_with_arguments_is_said(text: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_arguments(text)
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    ("data", "words"), [(b"\xff", "--args -: no UTF-8"), (b" " * (LARGEST + 1), "--args -: larger")]
)
def test_input_that_is_no_text_or_too_much_is_said(data: bytes, words: str) -> None:
    with pytest.raises(UserError, match=words):
        parse_arguments("-", lambda: data)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("text=hi", "hi"),
        ("text=5", "5"),
        ("text=", ""),
        ("text=a=b", "a=b"),
        ("count=5", 5),
        ("ratio=0.5", 0.5),
        ("ratio=NaN", "NaN"),
        ("exact=true", True),
        ('names=["a", "b"]', ["a", "b"]),
        ("case=snake", "snake"),
        ("limit=null", None),
        ("limit=3", 3),
        ("id=18446744073709551615", "18446744073709551615"),
    ],
)
def test_a_parameter_is_typed_by_its_schema(word: str, value: object) -> None:
    assert parse_parameters([word], SCHEMA) == {word.partition("=")[0]: value}


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["text"], "--param text: write NAME=VALUE"),
        (["=1"], "--param =1: write NAME=VALUE"),
        (["nope=1"], "--param nope: the tool has no such parameter; it has text, count"),
        (["text=a", "text=b"], "--param text: stands there twice"),
        (["count=many"], "--param count: expected integer"),
        (["count=10"], "--param count: expected integer"),
        (["case=camel"], "--param case: expected one of kebab, snake"),
        (["names=a,b"], "--param names: expected JSON, an array"),
        (["id=x"], "--param id: expected a number."),
    ],
)
def test_a_parameter_that_does_not_fit_is_said_without_its_value(words: list[str], problem: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_parameters(words, SCHEMA)
    assert str(caught.value).startswith(problem)
