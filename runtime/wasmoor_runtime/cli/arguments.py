"""A call's arguments as people type them: JSON, a file of it, standard input, and single parameters.

`--args '{"text": "hi"}'`, `--args @file.json`, `--args -`, `--param text=hi --param count=3`. Parameters are typed by
the tool's schema and win over what `--args` says. Reads what is named; otherwise pure.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from wasmoor_runtime.cli.problems import UserError

# What a component takes by default is less; a file that somebody named by mistake is not read to its end.
LARGEST = 64 * 1024 * 1024


def read_standard_input() -> bytes:
    """Return what is piped into the command, at most a little more than is allowed."""
    return sys.stdin.buffer.read(LARGEST + 1)


def parse_arguments(text: str, read_input: Callable[[], bytes] = read_standard_input) -> dict[str, Any]:
    """Return the arguments of `--args`; `UserError` says what is wrong with them."""
    where, body = _read(text, read_input)
    try:
        value = json.loads(body)
    except ValueError as error:
        raise UserError(f"{where}: no JSON: {error}") from error
    except RecursionError as error:
        raise UserError(f"{where}: nested too deep") from error
    if not isinstance(value, dict):
        raise UserError(f'{where}: write a JSON object, for example \'{{"text": "hi"}}\'')
    return value


def parse_parameters(words: Iterable[str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of `--param NAME=VALUE`, each as its type in the tool's schema wants it."""
    known: Mapping[str, Any] = schema.get("properties", {})
    values: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise UserError(f"--param {word}: write NAME=VALUE, for example --param text=hi")
        if name not in known:
            raise UserError(f"--param {name}: the tool has no such parameter; it has {', '.join(known) or 'none'}")
        if name in values:
            raise UserError(f"--param {name}: stands there twice; write a list as JSON: --param '{name}=[1, 2]'")
        values[name] = _parse_value(name, text, known[name])
    return values


def _parse_value(name: str, text: str, schema: Any) -> Any:
    """Return the text itself where the schema takes it, else what it says as JSON."""
    from jsonschema import Draft202012Validator  # only parameters need it, and every command imports this module

    validator = Draft202012Validator(schema)
    if validator.is_valid(text):
        return text
    wanted = schema.get("type") if isinstance(schema, dict) else None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise UserError(f"--param {name}: {_expect(wanted, schema)}") from None
    if not validator.is_valid(value):
        raise UserError(f"--param {name}: {_expect(wanted, schema)}")
    return value


def _expect(wanted: object, schema: Any) -> str:
    if isinstance(schema, dict) and schema.get("enum"):
        return f"expected one of {', '.join(str(each) for each in schema['enum'])}"
    if wanted in {"array", "object"}:
        return f"expected JSON, an {wanted} that fits the tool's schema"
    if isinstance(wanted, str):
        return f"expected {wanted}"
    said = schema.get("description", "") if isinstance(schema, dict) else ""
    return f"expected {said[:1].lower()}{said[1:]}" if said else "expected JSON that fits the tool's schema"


def _read(text: str, read_input: Callable[[], bytes]) -> tuple[str, str]:
    """Return where the arguments stand and what stands there."""
    if text == "-":
        return "--args -", _decode("--args -", read_input())
    if not text.startswith("@"):
        return "--args", text
    path = Path(text[1:])
    try:
        with path.open("rb") as file:
            return str(path), _decode(str(path), file.read(LARGEST + 1))
    except OSError as error:
        raise UserError(f"--args {text}: {path}: {(error.strerror or str(error)).lower()}") from error


def _decode(where: str, data: bytes) -> str:
    if len(data) > LARGEST:
        raise UserError(f"{where}: larger than {LARGEST} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise UserError(f"{where}: no UTF-8 text") from error
