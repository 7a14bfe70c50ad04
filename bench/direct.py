"""Calls of a component without any server: what a worker does for a call, in a loop.

    python -m bench.direct COMPONENT FUNCTION ARGUMENTS SECONDS     prints microseconds per call

Each call has a fresh store and instance, through wasmtime's Python package.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from wasmoor_runtime.contract.document import CallLimits
from wasmoor_runtime.engine import machine
from wasmoor_runtime.engine.invocation import Invoker
from wasmoor_runtime.engine.settings import EngineSettings
from wasmoor_runtime.ports import Usage, Verdict
from wasmoor_runtime.workers import job, zygote

_WARM_UP = 20
_NOTHING = Usage()


def build_invoker(component: Path) -> Invoker:
    """Return what runs calls of the component; its code is kept beside it."""
    limits = CallLimits()
    compiled = component.with_suffix(".bench.cwasm")
    if not compiled.exists():
        engine = machine.build_engine(EngineSettings.from_limits(limits))
        compiled.write_bytes(machine.Component(engine, component.read_bytes()).serialize())
    task = job.Job(compiled=str(compiled), blob=str(component), limits=limits, rows=1)
    return zygote.load_component(task)[0]


def main(component: str, function: str, arguments: str, seconds: str) -> None:
    """Call for so long and print the mean."""
    invoker = build_invoker(Path(component))
    for _ in range(_WARM_UP):
        outcome = invoker.run(function, arguments.encode(), _measure_nothing)
        if outcome.verdict is not Verdict.OK:
            raise SystemExit(f"{outcome.verdict}: {outcome.message}")
    count, started = 0, time.monotonic()
    while time.monotonic() - started < float(seconds):
        invoker.run(function, arguments.encode(), _measure_nothing)
        count += 1
    print((time.monotonic() - started) / count * 1e6)  # noqa: T201 - the command line


def _measure_nothing(_fuel: int | None) -> Usage:
    return _NOTHING


if __name__ == "__main__":
    main(*sys.argv[1:])
