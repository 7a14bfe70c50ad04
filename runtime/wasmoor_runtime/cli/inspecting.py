"""`wasmoor component inspect`: what a component is, as a report for people. Nothing of the component is run."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from wasmoor_runtime.capabilities import catalog
from wasmoor_runtime.cli import output
from wasmoor_runtime.engine import inspector
from wasmoor_runtime.engine.inspector import Inspection
from wasmoor_runtime.ports import Blob, Function


async def inspect(blob: Blob) -> Inspection:
    """Return what the fetched component is. Raises `Stalled` or `Waiting`."""
    return await inspector.inspect_component(blob.path, provided=catalog.PROVIDED)


def write_report(found: Inspection) -> None:
    """Write everything, part by part."""
    said = found.metadata
    summary = {
        "name": said.name,
        "version": said.version,
        "language": said.language,
        "description": said.description,
        "digest": found.digest,
        "size": output.render_size(found.size),
        "licenses": said.licenses,
        "source": said.source,
    }
    output.write_table(output.render_pairs({key: value for key, value in summary.items() if value}))
    missing = set(found.missing)
    _write_part("IMPORTS", [(name, "NOT PROVIDED HERE") if name in missing else (name,) for name in found.imports])
    _write_part("EXPORTS", [(name,) for name in found.exports])
    _write_part("TOOLS", [_describe(function) for function in found.functions])
    _write_part("SECTIONS", [(each.name, output.render_size(each.size)) for each in said.sections])
    _write_part(
        "PACKAGES", [(str(getattr(each, "name", each)), getattr(each, "version", "")) for each in said.packages]
    )
    _write_part("MADE BY", [(each.field, each.name, each.version) for each in said.producers])
    for problem in said.problems:
        print(f"note: {problem}", file=sys.stderr)


def _describe(function: Function) -> tuple[str, str, str]:
    if function.unsupported:
        return function.name or function.id, "NOT SERVED", function.unsupported
    properties = function.input_schema.get("properties", {})
    required = set(function.input_schema.get("required", ()))
    parameters = ", ".join(
        f"{name}{'' if name in required else '?'}: {_name_type(schema)}" for name, schema in properties.items()
    )
    first = function.description.partition("\n")[0]
    return function.name, f"({parameters})", first


def _name_type(schema: object) -> str:
    if not isinstance(schema, dict):
        return "any"
    if schema.get("enum"):
        return "|".join(str(each) for each in schema["enum"])
    if schema.get("anyOf"):
        kinds = [_name_type(each) for each in schema["anyOf"] if each != {"type": "null"}]
        return "|".join(dict.fromkeys(kinds))
    if schema.get("type") == "array" and isinstance(schema.get("items"), dict):
        return f"[{_name_type(schema['items'])}]"
    return str(schema.get("type", "any"))


def _write_part(heading: str, rows: Sequence[Sequence[str]]) -> None:
    if rows:
        print(f"\n{heading}")
        output.write_table(output.render_rows((), [[f"  {row[0]}", *row[1:]] for row in rows]))
