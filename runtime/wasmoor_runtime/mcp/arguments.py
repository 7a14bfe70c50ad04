"""Whether a call's arguments fit the tool's schema, said in one sentence. Pure.

The SDK does not validate arguments. The worker checks every value against the component's types anyway, in a process of
its own and within the call's deadline; checking small ones here saves the way there. Large ones are left to it: JSON
Schema takes seconds for a megabyte, and those seconds would be everybody's.

Threat: arguments may hold secrets, and error texts end up in transcripts and logs. So a sentence names the place and
what belongs there, never the value that was sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

# Bytes of JSON; within them the slowest check takes some 20 ms.
LARGEST_CHECKED = 8 * 1024
_MAX_LISTED = 300


class Arguments:
    """A tool's input schema, compiled once."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._validator = Draft202012Validator(schema)

    def explain(self, arguments: Mapping[str, Any]) -> str:
        """Return "" when the arguments fit, else where they do not and what belongs there."""
        try:
            # The first error will do: collecting all takes as long as there are values.
            first = next(self._validator.iter_errors(arguments), None)
        except RecursionError:
            return "at /: nested deeper than can be checked"
        if first is None:
            return ""
        error = best_match(iter((first,))) or first
        return f"at {render_pointer(error)}: {_expect(error)}"


def _expect(error: ValidationError) -> str:
    """Return what belongs where the error is."""
    explain = _SENTENCES.get(str(error.validator))
    if explain is not None:
        return explain(error)
    return f"expected a value with {error.validator} {_list(error.validator_value)}"


def _missing(error: ValidationError) -> str:
    wanted: Any = error.validator_value
    given: Any = error.instance
    names = [name for name in wanted if name not in given]
    return f"missing {', '.join(names)}"


def _unknown(error: ValidationError) -> str:
    known = error.schema.get("properties", {}) if isinstance(error.schema, Mapping) else {}
    return f"a property that is not known here; known are {_list(sorted(known))}"


_SENTENCES: Mapping[str, Callable[[ValidationError], str]] = MappingProxyType(
    {
        "type": lambda error: f"expected {_list(error.validator_value)}",
        "enum": lambda error: f"expected one of {_list(error.validator_value)}",
        "required": _missing,
        "additionalProperties": _unknown,
    }
)


def _list(value: Any) -> str:
    text = ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)
    return text if len(text) <= _MAX_LISTED else f"{text[:_MAX_LISTED]}…"


def render_pointer(error: ValidationError) -> str:
    """Return where the error is as a JSON pointer (RFC 6901); `/` for the arguments themselves."""
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in error.absolute_path]
    return "/" + "/".join(parts)


def render_arguments(arguments: Mapping[str, Any]) -> bytes:
    """Return the arguments as JSON text for the worker; `ValueError` for NaN, infinities and what nests too deep."""
    try:
        return json.dumps(arguments, separators=(",", ":"), allow_nan=False).encode()
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    except ValueError as error:
        raise ValueError("numbers must be finite") from error
