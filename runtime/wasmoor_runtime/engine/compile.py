"""The compile process: `python -m wasmoor_runtime.engine.compile PARENT BLOB OUTPUT SETTINGS PROVIDED`.

A process of its own, because compiling takes seconds, all cores and hundreds of megabytes, and because a compiler
that is fed strangers' bytes may fail in any way. PARENT is the pid of the front, OUTPUT a new file, SETTINGS an
`EngineSettings` as JSON, PROVIDED a JSON array of interfaces with their version track, such as `wasi:io/streams@0.2`.
Prints one JSON line:
`{"reason": "", "message": ""}` when OUTPUT holds code that loads, otherwise why not.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection
from pathlib import Path

from wasmoor_runtime.engine import binary, children, inspection, machine
from wasmoor_runtime.engine.settings import EngineSettings
from wasmoor_runtime.errors import RuntimeFault, Stalled, Waiting
from wasmoor_runtime.storage.space import FULL


def main(arguments: list[str]) -> int:
    """Compile, report on standard output, and return the exit code: 0 also when the component is at fault."""
    parent, blob, output, settings, provided = arguments
    children.enter_child(int(parent))
    reason = message = ""
    try:
        compile_file(Path(blob), Path(output), EngineSettings.from_json(settings), json.loads(provided))
    except RuntimeFault as fault:
        reason, message = fault.reason, fault.message
        retry = isinstance(fault, Waiting)
    else:
        retry = False
    sys.stdout.write(json.dumps({"reason": reason, "message": message, "retry": retry}) + "\n")
    return 0


def compile_file(blob: Path, output: Path, settings: EngineSettings, provided: Collection[str]) -> None:
    """Write compiled code to `output`, or raise what is wrong with the component or the disk."""
    data = blob.read_bytes()
    binary.check_component(data)
    engine = machine.build_engine(settings)
    try:
        component = machine.Component(engine, data)
        code = component.serialize()
    except machine.WasmtimeError as error:
        raise Stalled("CompileFailed", machine.short_message(error)) from None
    missing = list(inspection.find_missing(engine, component, provided))
    if missing:
        raise Stalled("UnsupportedInterface", f"the component imports what is not provided here: {', '.join(missing)}")
    try:
        _write(output, code)
        _check_loads(engine, output)
    except OSError as error:
        output.unlink(missing_ok=True)
        if error.errno in FULL:
            message = f"no space left in {output.parent} for {len(code)} bytes; make room there or enlarge it"
        else:
            message = f"compiled code cannot be written to {output.parent}: {error.strerror}"
        raise Waiting("CompileFailed", message) from None


def _write(output: Path, code: bytearray) -> None:
    """Write the code to the disk; the name is unfinished work's, which the front changes when all is well."""
    with output.open("wb") as file:
        file.write(code)
        file.flush()
        os.fsync(file.fileno())


def _check_loads(engine: machine.Engine, output: Path) -> None:
    try:
        machine.load_component(engine, output).close()
    except machine.WasmtimeError as error:
        message = machine.short_message(error)
        if "executable" in message:
            message = (
                f"{output.parent} is on a volume mounted noexec, where code cannot be run: mount it without noexec"
            )
        output.unlink(missing_ok=True)
        raise Stalled("CompileFailed", message) from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
