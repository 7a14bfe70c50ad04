"""What the examples are: which references their manifests name, and how they must answer. Reads files, nothing more."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from typing import Any

import yaml

from scripts.commands import REPOSITORY

MANIFESTS = REPOSITORY / "examples"
COMPONENTS = REPOSITORY / ".wasmoor" / "components"
# What the manifests call the registry of the examples, wherever it is.
REGISTRY = "localhost:5000"
NAMESPACE = "tools"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of an example and its answer."""

    component: str
    tool: str
    arguments: dict[str, Any]
    failed: bool
    """Whether the component answers with its own error."""
    answer: Any
    """The result, or the error's payload."""


def read_calls() -> list[Call]:
    """Return the calls of the examples with the answers they must give; the first of a component is its showcase."""
    entries = tomllib.loads((MANIFESTS / "components" / "calls.toml").read_text(encoding="utf-8"))["call"]
    return [
        Call(
            component=entry["component"],
            tool=entry["tool"],
            arguments=json.loads(entry["arguments"]),
            failed="error" in entry,
            answer=json.loads(entry["error"] if "error" in entry else entry["result"]),
        )
        for entry in entries
    ]


def find_showcases() -> list[Call]:
    """Return the first call of each component."""
    first: dict[str, Call] = {}
    for call in read_calls():
        first.setdefault(call.component, call)
    return list(first.values())


def list_references() -> dict[str, str]:
    """Return component name → `repository:tag` of every example that names our registry."""
    found: dict[str, str] = {}
    for file in sorted((MANIFESTS).glob("*.yaml")):
        for manifest in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            if manifest and manifest["kind"] == "WasmComponent":
                host, _, rest = str(manifest["spec"]["source"]["oci"]["reference"]).partition("/")
                if host == REGISTRY:
                    found[manifest["metadata"]["name"]] = rest
    return found


def read_answer(answer: dict[str, Any]) -> Any:
    """Return what an answer of `in_pod` carries: the result, or the payload of the component's error."""
    if answer["isError"]:
        return json.loads(answer["text"])["error"]
    structured: dict[str, Any] = answer["structured"]
    return structured["result"]
