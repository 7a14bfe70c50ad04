"""The host of one component: moves along `lifecycle.MOVES`, fetching, compiling, starting, serving and stopping.

It knows the ports and nothing behind them. Faults become phases: `Waiting` is tried again for ever with growing
delays, `Stalled` ends in Failed with its reason, a defect of ours is logged and treated as waiting. Built by `serving`.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from wasmoor_runtime import events
from wasmoor_runtime.contract.document import ComponentRef, Contract
from wasmoor_runtime.contract.status import (
    ComponentStatus,
    MemoryStatus,
    Phase,
    Reason,
    WorkerStatus,
)
from wasmoor_runtime.errors import Stalled, Waiting
from wasmoor_runtime.host import backoff, lifecycle, locations, validation
from wasmoor_runtime.host.rates import Rate
from wasmoor_runtime.host.state import State, explain_running, render_status
from wasmoor_runtime.host.tools import ServedTool, decide_tools, hash_tools
from wasmoor_runtime.ports import AdvisorySource, Compiler, Fetcher, Outcome, Pool, PoolStarter, Report, Usage, Verdict

_log = logging.getLogger(__name__)

CANCELLED = "Cancelled"
# How often the host looks whether the processes are still there, in seconds.
WATCH_SECONDS = 1.0
# Looks in a row that find no process before everything is started anew; the pool replaces its processes before that.
WATCH_MISSES = 15

# Returns the contract to serve; raises `Stalled` or `Waiting`. A pod has it on disk, `wasmoor serve` resolves a tag.
Discover = Callable[[], Awaitable[Contract]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The outside world, chosen by the composition root."""

    fetcher: Fetcher
    compiler: Compiler
    starter: PoolStarter
    advisories: AdvisorySource = field(default_factory=validation.NoAdvisories)


class ComponentHost:
    """One component in this process. All methods run on the event loop's thread."""

    def __init__(
        self,
        ref: ComponentRef,
        discover: Discover,
        parts: Parts,
        *,
        listeners: Sequence[events.Listener] = (),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.ref = ref
        self.id = f"{ref.namespace}/{ref.name}"
        self.settled = asyncio.Event()
        """Set once the component runs, has failed, or waits for its second attempt."""
        self.running = asyncio.Event()
        """Set once the tools can be called for the first time."""
        self._discover = discover
        self._parts = parts
        self._bus = events.Bus(listeners)
        self._sleep = sleep
        self._state = State()
        self._pool: Pool | None = None
        self._rate: Rate | None = None
        self._numbers = itertools.count(1)
        self._by_name: dict[str, ServedTool] = {}
        self._calls: set[asyncio.Task[Outcome]] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def phase(self) -> Phase:
        """Where the component is."""
        return self._state.phase

    @property
    def ready(self) -> bool:
        """True when the tools can be called and new calls are welcome."""
        return self._state.ready

    @property
    def contract(self) -> Contract | None:
        """What is served; none until it is known."""
        return self._state.contract

    @property
    def tools(self) -> tuple[ServedTool, ...]:
        """What clients may call, in a stable order."""
        return self._state.selection.tools if self._state.selection else ()

    def find_tool(self, name: str) -> ServedTool | None:
        """Return the tool of that name."""
        return self._by_name.get(name)

    def start(self) -> None:
        """Begin to load and serve; `settled` and `running` say how far that is, `stop` ends it."""
        self._task = asyncio.create_task(self._run(), name=f"host {self.id}")

    async def _run(self) -> None:
        """Load, serve, and start again what died. Returns when the component has failed for good."""
        failures = 0
        while True:
            try:
                await self.start_once()
            except Stalled as fault:
                self._move(Phase.FAILED, fault.reason, fault.message)
                self.settled.set()
                return
            except Waiting as fault:
                failures += 1
                await self._wait(fault, failures)
                continue
            except Exception as error:  # noqa: BLE001 - a defect of ours must not end the process
                _log.exception("defect while starting %s", self.id)
                failures += 1
                text = f"a defect in wasmoor: {type(error).__name__}; its log line says more"
                await self._wait(Waiting(Reason.INTERNAL, text), failures)
                continue
            failures = 0
            await self._watch()
            failures += 1
            await self._lose_pool()
            await self._wait(Waiting(Reason.CRASHED, "the processes that run the component died"), failures)

    async def call(
        self,
        tool: ServedTool,
        arguments: bytes,
        *,
        report: Report | None = None,
        trace: events.Trace | None = None,
    ) -> Outcome:
        """Run one call with a JSON object; raises nothing but `CancelledError`, which ends the call's worker."""
        number, started = self._tell_called(tool, arguments, trace), time.monotonic()
        refused = self._refuse(started)
        if refused is not None:
            self._tell_ended(tool, number, started, refused)
            return refused
        task = self._begin(tool, arguments, report)
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            task.cancel()
            self._tell_failed(tool, number, started, CANCELLED, "the client went away")
            raise
        outcome = self._outcome_of(task)
        self._tell_ended(tool, number, started, outcome)
        return outcome

    def tell_refused(self, tool: ServedTool, verdict: str, message: str = "") -> None:
        """Tell of a call that never came to `call`, such as one with arguments that do not fit."""
        now = time.monotonic()
        self._tell_failed(tool, self._tell_called(tool, b"", None), now, verdict, message)

    def _begin(self, tool: ServedTool, arguments: bytes, report: Report | None) -> asyncio.Task[Outcome]:
        """Hand a call to the pool; `_refuse` has seen to it that there is one."""
        pool, contract = self._pool, self._state.contract
        assert pool is not None  # noqa: S101
        assert contract is not None  # noqa: S101
        # A task of its own, cancelled exactly once: the frameworks above cancel again and again until a task ends,
        # which would interrupt the pool while it replaces the worker.
        seconds = contract.limits.timeout_seconds
        task = asyncio.create_task(pool.call(tool.function, arguments, timeout=seconds, report=report))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        return task

    def _refuse(self, now: float) -> Outcome | None:
        """Return why a call cannot even be tried, if it cannot."""
        if self._pool is None or self._state.contract is None:
            return Outcome(verdict=Verdict.UNAVAILABLE, message=f"the component is {self._state.phase}, not Running")
        seconds = self._rate.take(now) if self._rate is not None else 0.0
        if self._rate is None or not seconds:
            return None
        message = f"{self._rate.per_second} calls a second are allowed: try again in {seconds * 1000:.0f} ms"
        return Outcome(verdict=Verdict.RATE_LIMITED, message=message)

    async def stop(self, grace: float) -> None:
        """Let running calls finish for `grace` seconds, then end everything; safe from any phase."""
        if self._state.phase is Phase.TERMINATED:
            return
        self.begin_stop()
        await self._lose_pool(grace)
        self._move(Phase.TERMINATED, Reason.TERMINATED, "stopped")

    def begin_stop(self) -> None:
        """Stop being ready; calls are still answered until `stop`."""
        if self._state.phase not in {Phase.STOPPING, Phase.TERMINATED}:
            if self._task is not None:
                self._task.cancel()
            self._move(Phase.STOPPING, Reason.TERMINATED, "stopping: running calls finish, new ones go elsewhere")

    def status(self) -> ComponentStatus:
        """Return what the status page shows."""
        memory = self._pool.memory() if self._pool else MemoryStatus()
        return render_status(self.ref, self._state, self.workers(), memory)

    def workers(self) -> WorkerStatus:
        """Return what the processes do now."""
        return self._pool.status() if self._pool else WorkerStatus()

    async def start_once(self) -> None:
        """Bring the component from where it is to Running, or raise a fault; `start` does it again and again."""
        contract = await self._discover()
        self._state = replace(self._state, contract=contract)
        rate = contract.limits.calls_per_second
        self._rate = None if rate is None else Rate(rate, time.monotonic())
        self._bus.emit(events.ComponentDiscovered(self.id, *locations.describe_source(contract.source)))
        self._bus.emit(events.ComponentLoading(self.id))
        self._move(Phase.LOADING, Reason.LOADING, f"fetching {contract.source.subject}")
        started = time.monotonic()
        known = await validation.read_advisories(contract, self._parts.advisories)
        self._pool = await self._load(contract)
        try:
            validation.check_profile(self._pool.profile, known)
            self._bus.emit(events.ComponentLoaded(self.id, time.monotonic() - started))
            self._move(Phase.REGISTERING, Reason.LOADED, "compiled; deciding which functions become tools")
            selection = decide_tools(self._pool.functions, contract.tools)
        except Stalled:
            await self._lose_pool()
            raise
        self._by_name = {tool.name: tool for tool in selection.tools}
        self._state = replace(
            self._state, profile=self._pool.profile, selection=selection, tools_hash=hash_tools(selection.tools)
        )
        self._bus.emit(events.ComponentRegistered(self.id, tuple(self._by_name)))
        self._move(Phase.RUNNING, Reason.RUNNING, explain_running(selection, self._state.blob))
        self.settled.set()
        self.running.set()

    async def _load(self, contract: Contract) -> Pool:
        """Pull, compile and start within the contract's start timeout."""
        seconds = contract.timing.start_timeout_seconds
        step, reason = "pulling", Reason.PULL_FAILED
        parts = self._parts
        try:
            async with asyncio.timeout(seconds) as scope:
                blob = await parts.fetcher.fetch(contract.source, self._note_progress)
                self._state = replace(self._state, blob=blob)
                validation.check_blob(contract, blob)
                step, reason = "compiling", Reason.COMPILE_FAILED
                self._move(Phase.LOADING, Reason.LOADING, f"compiling {blob.size / 1e6:.1f} MB for this machine")
                remaining = (scope.when() or 0.0) - asyncio.get_running_loop().time()
                compiled = await parts.compiler.compile(blob, contract.limits, timeout=max(remaining, 0.001))
                step, reason = "starting", Reason.CRASHED
                self._move(Phase.LOADING, Reason.LOADING, "starting the processes that run calls")
                return await parts.starter.start(compiled, blob, contract.limits)
        except TimeoutError as error:
            if not scope.expired():
                raise
            raise Waiting(reason, f"{step} took longer than the {seconds:g} s a start may take") from error

    async def _wait(self, fault: Waiting, failures: int) -> None:
        delay = backoff.decide_delay(failures, fault.delay)
        phase = Phase.DISCOVERING if self._state.contract is None else Phase.LOADING
        self._move(phase, fault.reason, f"{fault.message}; trying again in {delay:g} s")
        self.settled.set()
        await self._sleep(delay)

    async def _watch(self) -> None:
        """Return once the pool has had no process for a few looks in a row."""
        misses = 0
        while misses < WATCH_MISSES:
            await self._sleep(WATCH_SECONDS)
            misses = 0 if self.workers().alive else misses + 1

    async def _lose_pool(self, grace: float = 0.0) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close(grace)
            self._bus.emit(events.ComponentUnloaded(self.id))

    def _outcome_of(self, task: asyncio.Task[Outcome]) -> Outcome:
        """Return the task's outcome; a pool that raised after all is a defect, and only this call's."""
        if task.cancelled():
            return Outcome(verdict=Verdict.UNAVAILABLE, message="the component is stopping")
        error = task.exception()
        if error is None:
            return task.result()
        _log.error("defect while calling %s", self.id, exc_info=error)
        return Outcome(verdict=Verdict.CRASHED, message="a defect in wasmoor ended the call; the log says more")

    def _note_progress(self, done: int, total: int) -> None:
        message = f"fetching: {done / 1e6:.1f}{f' of {total / 1e6:.1f}' if total else ''} MB"
        self._state = replace(self._state, message=message)
        self._bus.emit(events.Pulled(component=self.id, done=done, total=total))

    def _move(self, phase: Phase, reason: str, message: str) -> None:
        before = self._state.phase
        self._state = replace(self._state, phase=lifecycle.decide_move(before, phase), reason=reason, message=message)
        digest = (self._state.contract.source.digest or "") if self._state.contract else ""
        self._bus.emit(
            events.Moved(component=self.id, before=before, phase=phase, reason=reason, message=message, digest=digest)
        )

    def _tell_called(self, tool: ServedTool, arguments: bytes, trace: events.Trace | None) -> int:
        """Tell that a call has come in; returns its number."""
        number = next(self._numbers)
        if self._bus.wants(events.FunctionCalled):
            self._bus.emit(events.FunctionCalled(self.id, tool.name, number, arguments, trace))
        return number

    def _tell_ended(self, tool: ServedTool, number: int, started: float, outcome: Outcome) -> None:
        if outcome.verdict is not Verdict.OK:
            self._tell_failed(tool, number, started, outcome.verdict, outcome.message, outcome.usage)
        elif self._bus.wants(events.FunctionCompleted):
            seconds = time.monotonic() - started
            self._bus.emit(
                events.FunctionCompleted(self.id, tool.name, number, seconds, outcome.usage, outcome.payload)
            )

    def _tell_failed(
        self, tool: ServedTool, number: int, started: float, reason: str, error: str, usage: Usage | None = None
    ) -> None:
        seconds = time.monotonic() - started
        self._bus.emit(events.FunctionFailed(self.id, tool.name, number, seconds, usage, str(reason), error))
