"""The inspect process: `python -m wasmoor_runtime.engine.inspect PARENT BLOB PROVIDED`.

A process of its own, because it hands strangers' bytes to an engine. It compiles the component's outline (its types, no
code), so 18 MB take half a second. PARENT is the pid of the front, PROVIDED a JSON array of interfaces with their
version track. Prints one JSON line: `{"reason": "", "message": ""}` with what `inspector.Inspection` needs, or why not.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wasmoor_runtime.artifacts import metadata, sections
from wasmoor_runtime.contract.document import CallLimits
from wasmoor_runtime.engine import binary, children, inspection, machine
from wasmoor_runtime.engine.settings import EngineSettings
from wasmoor_runtime.errors import RuntimeFault, Stalled


def main(arguments: list[str]) -> int:
    """Inspect, report on standard output, and return the exit code: 0 also when the component is at fault."""
    parent, blob, provided = arguments
    children.enter_child(int(parent))
    report: dict[str, Any] = {"reason": "", "message": ""}
    try:
        report |= inspect_bytes(Path(blob).read_bytes(), json.loads(provided))
    except RuntimeFault as fault:
        report |= {"reason": fault.reason, "message": fault.message}
    except OSError as error:
        report |= {"reason": "ArtifactNotFound", "message": f"{blob} cannot be read: {error.strerror}"}
    sys.stdout.write(json.dumps(report) + "\n")
    return 0


def inspect_bytes(data: bytes, provided: Collection[str]) -> dict[str, Any]:
    """Return what a component is; raises `Stalled` (NotAComponent, CompileFailed)."""
    binary.check_component(data)
    engine = machine.build_engine(EngineSettings.from_limits(CallLimits()))
    try:
        component = machine.Component(engine, sections.render_outline(data))
    except machine.WasmtimeError as error:
        raise Stalled("CompileFailed", machine.short_message(error)) from None
    said = metadata.parse_metadata(data)
    exports = inspection.inspect_exports(engine, component)
    functions = inspection.describe_functions(exports, inspection.read_docs(data))
    profile = inspection.build_profile(engine, component, said)
    return {
        "metadata": asdict(said),
        "imports": profile.imports,
        "exports": profile.exports,
        "missing": list(inspection.find_missing(engine, component, provided)),
        "functions": [asdict(function) for function in functions],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
