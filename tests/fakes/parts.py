"""Fakes of the host's ports: they do what a test says, and remember what was asked of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from wasmoor_runtime import events
from wasmoor_runtime.contract.document import CallLimits, ComponentRef, Contract, PinnedOciSource, PinnedSource
from wasmoor_runtime.contract.spec import Tools
from wasmoor_runtime.contract.status import MemoryStatus, WorkerStatus
from wasmoor_runtime.host.component import Parts
from wasmoor_runtime.ports import Blob, Function, Outcome, Pool, Profile, Progress, Report, Step, Usage, Verdict

DIGEST = "sha256:" + "a" * 64
LAYER = "sha256:" + "b" * 64

Behaviour = Callable[[Mapping[str, Any]], Awaitable[Outcome]]


def make_contract(*, tools: Tools | None = None, limits: CallLimits | None = None, **timing: float) -> Contract:
    """Return a contract for `tools/text` that pins `DIGEST`."""
    return Contract.model_validate(
        {
            "component": ComponentRef(namespace="tools", name="text"),
            "source": PinnedOciSource(reference="registry.test/text:1", digest=DIGEST),
            "tools": tools or Tools(),
            "limits": limits or CallLimits(),
            "timing": timing,
        }
    )


def make_function(name: str, **changes: Any) -> Function:
    """Return a function `name(text: string) -> string`, with changes."""
    fields: dict[str, Any] = {
        "id": name.replace("_", "-"),
        "name": name,
        "description": f"Does {name}.",
        "input_schema": {
            "type": "object",
            "properties": {"text": {"type": "string"}},
            "required": ["text"],
            "additionalProperties": False,
        },
        "output_schema": {"type": "object", "properties": {"result": {"type": "string"}}, "required": ["result"]},
    }
    return Function(**{**fields, **changes})


async def echo(arguments: Mapping[str, Any]) -> Outcome:
    """Answer with the text that was sent."""
    payload = json.dumps({"result": arguments.get("text", "")}).encode()
    usage = Usage(cpu_seconds=0.001, memory_bytes=65536)
    return Outcome(verdict=Verdict.OK, payload=payload, seconds=0.001, usage=usage)


async def hang(_: Mapping[str, Any]) -> Outcome:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError


class FakePool:
    """Runs behaviours by function id; every other function echoes."""

    def __init__(
        self,
        functions: Sequence[Function],
        behaviours: Mapping[str, Behaviour] | None = None,
        profile: Profile | None = None,
    ) -> None:
        self.functions = tuple(functions)
        self.profile = profile or Profile()
        self.behaviours = dict(behaviours or {})
        self.steps: dict[str, Sequence[Step]] = {}
        """What functions report before they answer, by id."""
        self.calls: list[tuple[str, Any]] = []
        self.cancelled: list[str] = []
        self.closed: list[float] = []
        self.workers = WorkerStatus(alive=2)
        self._running: set[asyncio.Task[Any]] = set()

    async def call(self, function: str, arguments: bytes, *, timeout: float, report: Report | None = None) -> Outcome:
        decoded = json.loads(arguments)
        self.calls.append((function, decoded))
        if report is not None:
            for step in self.steps.get(function, ()):
                report(step)
        task = asyncio.create_task(self._run(function, decoded))
        self._running.add(task)
        try:
            async with asyncio.timeout(timeout):
                return await task
        except TimeoutError:
            return Outcome(verdict=Verdict.EXECUTION_TIMEOUT, message=f"the call took longer than {timeout:g} s")
        except asyncio.CancelledError:
            if self.closed:
                return Outcome(verdict=Verdict.UNAVAILABLE, message="the component is stopping")
            self.cancelled.append(function)
            raise
        finally:
            self._running.discard(task)

    async def _run(self, function: str, arguments: Mapping[str, Any]) -> Outcome:
        return await self.behaviours.get(function, echo)(arguments)

    def status(self) -> WorkerStatus:
        return self.workers

    def memory(self) -> MemoryStatus:
        return MemoryStatus(peak_bytes=65536)

    async def close(self, grace: float) -> None:
        self.closed.append(grace)
        running = list(self._running)
        if running and grace:
            await asyncio.wait(running, timeout=grace)
        for task in running:
            task.cancel()


class FakeFetcher:
    """Answers with a blob once its faults are used up."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.asked: list[PinnedSource] = []

    async def fetch(self, source: PinnedSource, progress: Progress | None = None, /) -> Blob:
        self.asked.append(source)
        if self.faults:
            raise self.faults.pop(0)
        if progress:
            progress(512, 1024)
        return Blob(
            path=Path("/cache/blob"), digest=LAYER, manifest_digest=source.digest or DIGEST,
            media_type="application/wasm", size=1024,
        )  # fmt: skip


class FakeCompiler:
    """Answers with a path once its faults are used up; `delay` makes it slow."""

    def __init__(self, *faults: Exception, gate: asyncio.Event | None = None) -> None:
        self.faults = list(faults)
        self.gate = gate
        self.timeouts: list[float] = []

    async def compile(self, blob: Blob, limits: CallLimits, *, timeout: float) -> Path:
        del blob, limits
        self.timeouts.append(timeout)
        if self.gate:
            await self.gate.wait()
        if self.faults:
            raise self.faults.pop(0)
        return Path("/cache/code")


class FakeStarter:
    """Hands out pools in order, the last one again and again."""

    def __init__(self, *pools: FakePool) -> None:
        self.pools = list(pools)
        self.started: list[FakePool] = []

    async def start(self, compiled: Path, blob: Blob, limits: CallLimits) -> Pool:
        del compiled, blob, limits
        pool = self.pools.pop(0) if len(self.pools) > 1 else self.pools[0]
        self.started.append(pool)
        return pool


def make_parts(pool: FakePool, *, fetcher: FakeFetcher | None = None, compiler: FakeCompiler | None = None) -> Parts:
    """Return parts that lead to this pool."""
    return Parts(fetcher=fetcher or FakeFetcher(), compiler=compiler or FakeCompiler(), starter=FakeStarter(pool))


class Recorder:
    """A listener that remembers."""

    kinds = events.ALL_KINDS

    def __init__(self) -> None:
        self.heard: list[events.Event] = []

    def hear(self, event: events.Event) -> None:
        self.heard.append(event)

    def phases(self) -> list[str]:
        """Return the phases in the order they came, without repeats."""
        moves = [event.phase.value for event in self.heard if isinstance(event, events.Moved)]
        return [phase for index, phase in enumerate(moves) if index == 0 or moves[index - 1] != phase]

    def calls(self) -> list[tuple[str, str]]:
        """Return (tool, verdict) of every call."""
        return [
            (event.function, "Ok" if isinstance(event, events.FunctionCompleted) else event.reason)
            for event in self.heard
            if isinstance(event, events.FunctionCompleted | events.FunctionFailed)
        ]


class Clock:
    """A sleep that returns at once and remembers for how long; it stops the host after so many."""

    def __init__(self, *, at_most: int = 1000) -> None:
        self.slept: list[float] = []
        self._at_most = at_most

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) >= self._at_most:
            await asyncio.Event().wait()
        await asyncio.sleep(0)


async def until(condition: Callable[[], object], *, seconds: float = 20.0) -> None:
    """Let other tasks run until the condition holds; one that does not within `seconds` fails the test."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0)
