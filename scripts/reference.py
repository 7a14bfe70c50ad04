"""Renders the reference pages from what the code says: `docs/reference/`, written and compared by `generate`.

Fields and their descriptions come from the kinds as generated, reasons and their meaning from the enum that every
condition uses. Pure, but for reading the enum's source.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import yaml

from wasmoor_operator import reasons
from wasmoor_operator.api.__main__ import render_files

NOTE = "<!-- Generated from the code by `make generate`; change it there. -->\n"
MEMBER = re.compile(r'^ {4}[A-Z_]+ = "(?P<reason>\w+)"  # (?P<meaning>.+)$')


def render_pages() -> dict[str, str]:
    """Return the text of each page by its name."""
    kinds = [yaml.safe_load(text) for text in render_files().values()]
    pages = {f"{crd['spec']['names']['singular']}.md": render_kind(crd) for crd in kinds}
    return pages | {"reasons.md": render_reasons()}


def render_kind(crd: dict[str, Any]) -> str:
    """Return the page of one kind: every field of its spec and status, its columns and rules."""
    names, version = crd["spec"]["names"], crd["spec"]["versions"][0]
    schema = version["schema"]["openAPIV3Schema"]
    lines = [
        NOTE,
        f"# {names['kind']}: fields",
        "",
        f"`{crd['spec']['group']}/{version['name']}`, short name `{names['shortNames'][0]}`. {schema['description']}",
    ]
    for part in ("spec", "status"):
        lines += ["", f"## {part}", "", "| field | type | meaning |", "| --- | --- | --- |"]
        lines += list_fields(schema["properties"][part], part)
    lines += ["", "## Columns of `kubectl get`", "", "| column | field | meaning |", "| --- | --- | --- |"]
    lines += [
        f"| {column['name'].upper()}{' (wide)' if column.get('priority') else ''} | `{column['jsonPath']}` "
        f"| {clean(column['description'])} |"
        for column in version["additionalPrinterColumns"]
    ]
    return "\n".join(lines) + "\n"


def list_fields(schema: dict[str, Any], path: str) -> Iterator[str]:
    """Return a row for every field below this one, depth first, lists as `name[]`."""
    required = set(schema.get("required", ()))
    for name, field in schema.get("properties", {}).items():
        inner = field.get("items", {})
        here = f"{path}.{name}"
        kind = name_type(field)
        yield f"| `{here}` | {kind}{', required' if name in required else ''} | {clean(field.get('description', ''))} |"
        yield from list_fields(field, here)
        yield from list_fields(inner, f"{here}[]")


def name_type(field: dict[str, Any]) -> str:
    """Return a field's type as people read it."""
    if field.get("x-kubernetes-int-or-string"):
        return "quantity"
    if field.get("type") == "array":
        return f"list of {name_type(field['items'])}"
    if field.get("enum"):
        return " or ".join(f"`{value}`" for value in field["enum"])
    return str(field.get("type", "object"))


def clean(text: str) -> str:
    """Return text that fits one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def render_reasons() -> str:
    """Return the page of reasons: what each means, in the order of the lifecycle."""
    matches = (MEMBER.match(line) for line in inspect.getsource(reasons.Reason).splitlines())
    rows = [f"| `{match['reason']}` | {clean(match['meaning'])} |" for match in matches if match]
    head = [
        NOTE,
        "# Reasons",
        "",
        "What `kubectl get wasmcomponents -o wide` shows under REASON, and every condition and event under `reason`.",
        "The message beside it names the object and what to do.",
        "",
        "| reason | meaning |",
        "| --- | --- |",
    ]
    return "\n".join(head + rows) + "\n"
