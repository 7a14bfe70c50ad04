"""Real pools for these tests: real processes, real components, and a look at what the kernel knows of them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import wasmtime

from wasmoor_runtime.capabilities import catalog
from wasmoor_runtime.contract.document import CallLimits
from wasmoor_runtime.engine.compiler import ProcessCompiler
from wasmoor_runtime.ports import Blob, Outcome, Verdict
from wasmoor_runtime.workers.pool import ProcessPool, ProcessPoolStarter

ROOT = Path(__file__).parents[3]
COMPONENTS = ROOT / ".wasmoor" / "components"

SECONDS = 30.0  # how long a test waits for what must happen


def find_component(name: str) -> Path:
    """Return a built component: `math`, `fixtures/spin`."""
    path = COMPONENTS / f"{name}.wasm"
    assert path.exists(), f"{path} is not there: build the components with `python3 examples/build.py`"
    return path


def assemble(directory: Path, text: str) -> Path:
    """Return a file with the binary form of a component's text."""
    path = directory / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.wasm"
    path.write_bytes(wasmtime.wat2wasm(text))
    return path


def describe_blob(path: Path) -> Blob:
    """Return a file as a pulled blob."""
    digest = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    return Blob(
        path=path,
        digest=digest,
        manifest_digest=digest,
        media_type="application/wasm",
        size=path.stat().st_size,
    )


class Pools:
    """Starts pools and closes them in the end."""

    def __init__(self, cache: Path) -> None:
        self._compiler = ProcessCompiler(cache, provided=catalog.PROVIDED)
        self._started: list[ProcessPool] = []

    async def start(self, path: Path, **limits: Any) -> ProcessPool:
        """Return a pool for a component file."""
        decided = CallLimits(**limits)
        blob = describe_blob(path)
        compiled = await self._compiler.compile(blob, decided, timeout=60)
        pool = await ProcessPoolStarter().start(compiled, blob, decided)
        self._started.append(pool)
        return pool

    async def close(self) -> None:
        """Close all pools."""
        for pool in self._started:
            await pool.close(0)


async def call(pool: ProcessPool, function: str, *, timeout: float = SECONDS, **arguments: Any) -> Outcome:
    """Call a function with keyword arguments; underscores stand for hyphens."""
    document = {name.replace("_", "-"): value for name, value in arguments.items()}
    return await pool.call(function, json.dumps(document).encode(), timeout=timeout)


def result(outcome: Outcome) -> Any:
    """Return the result of a call that went well."""
    assert outcome.verdict == Verdict.OK, outcome
    return json.loads(outcome.payload)["result"]


def zygote(pool: ProcessPool) -> int:
    """Return the pid of a pool's zygote."""
    assert pool._crew.generation is not None
    return pool._crew.generation._process.pid


def workers(pool: ProcessPool) -> set[int]:
    """Return the pids of a pool's workers, as the kernel knows them."""
    return children(zygote(pool))


def children(pid: int) -> set[int]:
    """Return the living children of a process."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text("utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.add(int(entry.parent.name))
    return found


def busy_worker(pool: ProcessPool) -> int:
    """Return the pid of the one worker that runs a call."""
    generation = pool._crew.generation
    assert generation is not None
    (row,) = generation.table.running()
    return generation._pids[row]


def is_alive(pid: int) -> bool:
    """True while a process runs."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def kill(pid: int) -> None:
    """End a process as the kernel does when memory runs out."""
    os.kill(pid, signal.SIGKILL)


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until something is so; it must be, soon."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited {SECONDS:g} seconds for: {what}"
        await asyncio.sleep(0.01)
