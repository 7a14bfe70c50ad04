"""Manifests against the schemas of the CRDs: the same ones that the API server uses, and as strict.

The API server refuses unknown fields when asked to; JSON Schema does not by itself, so the schemas are closed here.
CEL rules are the API server's alone. Called by `assembly`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from wasmoor_runtime.cli.manifests import API_VERSION, Document
from wasmoor_runtime.cli.problems import UserError

_PACKAGED = Path(__file__).parent / "crds"
_CHECKOUT = Path(__file__).parents[3] / "crds"
# The words of OpenAPI that say more than JSON Schema about a value's type, and where objects may hold anything.
_ANY_FIELDS = "x-kubernetes-preserve-unknown-fields"
_KEPT_WHOLE = ("apiVersion", "kind", "metadata", "status")
_MAX_MESSAGE = 300


class Schemas:
    """A validator for each kind."""

    def __init__(self, definitions: Iterable[Mapping[str, Any]]) -> None:
        self._validators = dict(_build_validators(definitions))

    def explain(self, document: Document) -> list[str]:
        """Return a line for each problem, with the field's path and what the schema says about the field."""
        validator = self._validators.get(document.kind)
        if validator is None:
            return [f"{document}: this installation has no schema for {document.kind}"]
        errors = sorted(validator.iter_errors(document.body), key=lambda error: [str(p) for p in error.absolute_path])
        return [f"{document}: {_describe(error)}" for error in errors]


def load_schemas() -> Schemas:
    """Load the schemas that came with this installation."""
    folder = _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT
    files = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
    if not files:
        raise UserError("this installation of wasmoor lacks its schemas: install it again")
    definitions = [document for file in files for document in yaml.safe_load_all(file.read_text("utf-8"))]
    return Schemas(definition for definition in definitions if isinstance(definition, dict))


def _build_validators(definitions: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Draft202012Validator]]:
    for definition in definitions:
        spec = definition.get("spec", {})
        for version in spec.get("versions", ()):
            if f"{spec.get('group')}/{version.get('name')}" == API_VERSION:
                yield spec["names"]["kind"], Draft202012Validator(close_schema(_without_whole(version)))


def _without_whole(version: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema with the fields that the API server itself checks or writes left open."""
    schema: dict[str, Any] = dict(version["schema"]["openAPIV3Schema"])
    properties = dict(schema.get("properties", {}))
    properties.update({name: {} for name in _KEPT_WHOLE})
    return {**schema, "properties": properties}


def close_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema with every object refusing fields that it does not name."""
    closed: dict[str, Any] = dict(schema)
    if isinstance(schema.get("properties"), dict):
        closed["properties"] = {name: close_schema(value) for name, value in schema["properties"].items()}
        if "additionalProperties" not in schema and not schema.get(_ANY_FIELDS):
            closed["additionalProperties"] = False
    for word in ("items", "additionalProperties"):
        if isinstance(schema.get(word), dict):
            closed[word] = close_schema(schema[word])
    if schema.get("nullable") and isinstance(schema.get("type"), str):
        closed["type"] = [schema["type"], "null"]
    return closed


def _describe(error: ValidationError) -> str:
    if error.validator in {"anyOf", "oneOf"} and error.context:
        error = best_match(error.context) or error
    path = render_path(error)
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
        unknown = ", ".join(sorted(str(name) for name in set(error.instance) - set(known)))
        return f"{path}: unknown field {unknown}; known are {', '.join(sorted(known)) or 'none'}"
    message = error.message if len(error.message) <= _MAX_MESSAGE else f"{error.message[:_MAX_MESSAGE]}…"
    hint = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
    return f"{path}: {message}{'. ' + hint if hint else ''}"


def render_path(error: ValidationError) -> str:
    """Return the field as people write it: `spec.tools.overrides[0].name`."""
    path = ""
    for part in error.absolute_path:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path or "the document"
