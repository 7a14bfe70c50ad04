"""Whether a call's arguments fit the tool's schema, said in one sentence. Pure.

The SDK does not validate arguments; clients and models learn from the sentence what to write instead.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

# Messages quote what the client sent; a model needs no more of it than this.
_MAX_MESSAGE = 400


class Arguments:
    """A tool's input schema, compiled once."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._validator = Draft202012Validator(schema)

    def explain(self, arguments: Mapping[str, Any]) -> str:
        """Return "" when the arguments fit, else where they do not and why."""
        try:
            error = best_match(self._validator.iter_errors(arguments))
        except RecursionError:
            return "at /: nested deeper than can be checked"
        return _describe(error) if error else ""


def _describe(error: ValidationError) -> str:
    message = error.message
    if len(message) > _MAX_MESSAGE:
        message = f"{message[:_MAX_MESSAGE]}…"
    return f"at {render_pointer(error)}: {message}"


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
