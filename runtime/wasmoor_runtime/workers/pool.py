"""The pool: admits calls, queues them, keeps their deadlines, and has as many workers as they need.

Runs in the front's event loop and never imports wasmtime. Every call ends in exactly one `Outcome`, whatever guests,
workers and zygotes do: by a worker's answer, by its deadline, by its worker's death, or by the end of the pool. A
caller that goes away ends its call and the worker that runs it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path

from wasmoor_runtime.contract.document import CallLimits
from wasmoor_runtime.contract.status import MemoryStatus, WorkerStatus
from wasmoor_runtime.errors import RuntimeFault, Stalled
from wasmoor_runtime.ports import Blob, Function, Outcome, Profile, Report, Verdict
from wasmoor_runtime.workers import frames, sizing
from wasmoor_runtime.workers.crew import Crew
from wasmoor_runtime.workers.generation import Generation
from wasmoor_runtime.workers.job import CodeUnusable, Loaded

_TICK_SECONDS = 0.05  # how often slow calls are looked for, while there are calls
_PROBE_SECONDS = 5.0  # a component may take this long to start, or as long as a call if that is longer
_FORGET_NS = 10_000_000_000  # how long after its deadline a call that no worker took is still expected to be taken
_NOT_LINKED = "matching implementation was not found"
# What it means that a component cannot even be started.
_PROBE_REASONS = {Verdict.OUT_OF_MEMORY: "ExceedsPolicy", Verdict.EXCEEDS_LIMITS: "ExceedsPolicy"}
_STOPPING = Outcome(verdict=Verdict.UNAVAILABLE, message="the component is being stopped")

logger = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True, eq=False)
class _Call:
    """A call on its way."""

    request: frames.Request
    answer: asyncio.Future[Outcome]
    began: float  # time.monotonic()
    report: Report | None

    @property
    def id(self) -> int:
        """What slots and frames know it by."""
        return self.request.call

    def settle(self, outcome: Outcome) -> None:
        """Answer, unless that has happened."""
        if not self.answer.done():
            self.answer.set_result(replace(outcome, seconds=time.monotonic() - self.began))


class ProcessPoolStarter:
    """A `ports.PoolStarter`."""

    async def start(self, compiled: Path, blob: Blob, limits: CallLimits) -> ProcessPool:
        """Return a pool whose component has been instantiated once. Raises `Stalled` or `Waiting`."""
        pool = ProcessPool(compiled, blob, limits)
        try:
            await pool.open()
        except CodeUnusable:
            # Whoever asks for the code again finds none, and has it compiled anew.
            await asyncio.to_thread(compiled.unlink, missing_ok=True)
            await pool.close(0)
            raise
        except BaseException:
            await pool.close(0)
            raise
        return pool


class ProcessPool:
    """A `ports.Pool`, and the `generation.Listener` of its processes."""

    def __init__(self, compiled: Path, blob: Blob, limits: CallLimits) -> None:
        self._compiled = compiled.absolute()
        self._blob = replace(blob, path=blob.path.absolute())
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._crew = Crew(limits.concurrency)
        self._loaded: Loaded | None = None
        self._restarting: asyncio.Task[None] | None = None
        self._closing = False
        self._ids = itertools.count(1)
        self._waiting: deque[_Call] = deque()
        self._sent: dict[int, _Call] = {}  # given to the kernel; answered ones stay until their worker is done
        self._strays: set[tuple[int, int]] = set()  # row and call of work nobody waits for, seen at the last tick
        self._ticking: asyncio.TimerHandle | None = None
        self._peak_bytes = 0
        self._idle = asyncio.Event()

    @property
    def functions(self) -> tuple[Function, ...]:
        """What the component exports, in its own order, unsupported functions included."""
        return self._loaded.functions if self._loaded else ()

    @property
    def profile(self) -> Profile:
        """What the component says of itself, and what it imports and exports."""
        return self._loaded.profile if self._loaded else Profile()

    def status(self) -> WorkerStatus:
        """Return what the processes do now."""
        busy = sum(call in self._sent for call, _ in self._crew.running().values())
        return WorkerStatus(
            alive=max(self._crew.size, busy),  # a new worker may run a call before the zygote has told of it
            busy=busy,
            queued=len(self._waiting) + len(self._sent) - busy,
            replaced=self._crew.replaced,
            crashed=self._crew.crashed,
        )

    def memory(self) -> MemoryStatus:
        """Return what running calls hold, asked of the kernel now, and the most that one has held."""
        held = [
            used.memory_bytes
            for row, (call, _) in self._crew.running().items()
            if call in self._sent and (used := self._crew.measure(row, call)) is not None
        ]
        self._peak_bytes = max(self._peak_bytes, *held, 0)
        return MemoryStatus(current_bytes=sum(held), peak_bytes=self._peak_bytes, active_instances=len(held))

    async def open(self) -> None:
        """Start the processes and try an instance. Raises `Stalled` or `Waiting`."""
        await self._start_generation()
        timeout = max(_PROBE_SECONDS, self._limits.timeout_seconds)
        probe = frames.Request(call=next(self._ids), deadline_ns=_deadline_ns(timeout), kind=frames.PROBE)
        outcome = await self._submit(probe, timeout)
        if outcome.verdict == Verdict.EXECUTION_TIMEOUT:
            raise Stalled("CompileFailed", f"the component could not be started within {timeout:g} seconds")
        if outcome.verdict != Verdict.OK:
            reason = _PROBE_REASONS.get(outcome.verdict, "CompileFailed")
            raise Stalled("UnsupportedInterface" if _NOT_LINKED in outcome.message else reason, outcome.message)

    async def call(self, function: str, arguments: bytes, *, timeout: float, report: Report | None = None) -> Outcome:
        """Run one call; see `ports.Pool.call`."""
        refused = self._refuse(arguments)
        if refused is not None:
            return refused
        identity, deadline = next(self._ids), _deadline_ns(timeout)
        kind = frames.RUN if report is None else frames.RUN_REPORTING
        request = frames.Request(call=identity, deadline_ns=deadline, kind=kind, function=function, arguments=arguments)
        return await self._submit(request, timeout, report)

    async def close(self, grace: float) -> None:
        """Let calls finish for `grace` seconds, then answer the rest with `Unavailable` and end all processes."""
        self._closing = True
        if grace > 0 and (self._sent or self._waiting):
            self._idle.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace):
                    await self._idle.wait()
        if self._restarting is not None:
            self._restarting.cancel()
            await asyncio.gather(self._restarting, return_exceptions=True)
        for call in (*self._waiting, *self._sent.values()):
            call.settle(_STOPPING)
        if self._ticking is not None:
            self._ticking.cancel()
        generation = self._crew.detach()
        if generation is not None:
            await generation.close()

    def _refuse(self, arguments: bytes) -> Outcome | None:
        """Return why a call cannot even wait, if it cannot."""
        limits = self._limits
        if self._closing:
            return _STOPPING
        if len(arguments) > limits.request_bytes:
            message = f"the arguments have {len(arguments)} bytes and {limits.request_bytes} are allowed"
            return Outcome(verdict=Verdict.INVALID_ARGUMENTS, message=message)
        if len(self._waiting) + len(self._sent) >= limits.concurrency + limits.queue:
            message = (
                f"{limits.concurrency} calls run and {limits.queue} wait, which is all this component may have: "
                "try again later"
            )
            return Outcome(verdict=Verdict.BUSY, message=message)
        return None

    async def _submit(self, request: frames.Request, timeout: float, report: Report | None = None) -> Outcome:
        call = _Call(request=request, answer=self._loop.create_future(), began=time.monotonic(), report=report)
        self._waiting.append(call)
        timer = self._loop.call_later(timeout, self._expire, call, timeout)
        self._dispatch()
        self._tick_soon()
        try:
            return await call.answer
        finally:
            timer.cancel()
            if call.answer.cancelled():
                self._abandon(call)
            if not self._sent and not self._waiting:
                self._idle.set()

    def _expire(self, call: _Call, timeout: float) -> None:
        verdict, used = Verdict.EXECUTION_TIMEOUT, None
        if call.id in self._sent:
            used = self._crew.measure(None, call.id)
            message = f"the call took longer than {timeout:g} seconds and was ended"
        elif self._crew.size:
            message = f"the call waited for {timeout:g} seconds and did not begin: others took all workers"
        else:
            verdict = Verdict.UNAVAILABLE
            message = f"no process could be started within {timeout:g} seconds that runs the call"
        self._settle(call, Outcome(verdict=verdict, message=message, usage=used))
        self._abandon(call)

    def _settle(self, call: _Call, outcome: Outcome) -> None:
        if outcome.usage is not None:
            self._peak_bytes = max(self._peak_bytes, outcome.usage.memory_bytes)
        call.settle(outcome)

    def _abandon(self, call: _Call) -> None:
        """Have nobody work on a call that is answered: withdraw it, or end its worker.

        A frame in the kernel's queue cannot be withdrawn; a worker that takes it is found at a tick.
        """
        if call.id in self._sent:
            self._crew.kill(call.id)
        elif call in self._waiting:
            self._waiting.remove(call)

    def _dispatch(self) -> None:
        """Hand waiting calls to the kernel, as far as its queue is to be filled."""
        generation, size = self._crew.generation, self._crew.size
        while self._waiting and generation and size and len(self._sent) < size + sizing.AHEAD:
            if not generation.send(self._waiting[0].request):
                return
            call = self._waiting.popleft()
            self._sent[call.id] = call

    # What the processes tell, see `generation.Listener`.

    def on_reply(self, reply: frames.Reply) -> None:
        """A worker answered."""
        self._crew.failures = 0
        call = self._sent.pop(reply.call, None)
        if call is not None and reply.outcome is not None:
            self._settle(call, reply.outcome)
        self._dispatch()

    def on_told(self, told: frames.Told) -> None:
        """A worker says how far its call is."""
        call = self._sent.get(told.call)
        if call is not None and call.report is not None and not call.answer.done():
            call.report(told.step)

    def on_writable(self) -> None:
        """The socket takes requests again."""
        self._dispatch()

    def on_forked(self, row: int) -> None:
        """A worker is there."""
        self._crew.welcome(row)
        self._dispatch()

    def on_spared(self, row: int) -> None:
        """A worker had gone on to another call."""
        self._crew.spare(row)

    def on_exited(self, row: int, *, killed: bool, cause: str) -> None:
        """A worker is gone; its call ends with it, unless it has answered."""
        generation = self._crew.generation
        if generation is None:
            return
        generation.drain()
        call = self._sent.pop(generation.table.call(row), None)
        generation.table.end(row)
        self._crew.bury(row, killed=killed, cause=cause)
        if call is not None:
            call.settle(Outcome(verdict=Verdict.CRASHED, message=f"the process that ran the call {cause}"))
        self._crew.top_up()
        self._dispatch()

    def on_lost(self) -> None:
        """The zygote is gone: every call handed out has ended, those that wait are kept for the next one."""
        self._crew.crashed += self._crew.size
        generation = self._crew.detach()
        if generation is None or self._closing:
            return
        logger.error("the process that starts workers died; starting another")
        lost = Outcome(verdict=Verdict.CRASHED, message="the processes that run calls died and are started again")
        for call in self._sent.values():
            call.settle(lost)
        self._sent.clear()
        self._restarting = asyncio.create_task(self._restart(generation), name="wasmoor-pool-restart")

    async def _start_generation(self) -> None:
        rows = self._limits.concurrency
        generation, loaded = await Generation.start(self._compiled, self._blob, self._limits, rows, self)
        self._loaded = self._loaded or loaded
        self._crew.attach(generation)

    async def _restart(self, dead: Generation) -> None:
        await dead.close()
        while self._crew.generation is None:
            self._crew.failures += 1
            await asyncio.sleep(sizing.decide_delay(self._crew.failures))
            try:
                await self._start_generation()
            except RuntimeFault as fault:
                logger.error("starting the component again failed: %s", fault)  # noqa: TRY400 - a fault, no defect
        self._tick_soon()

    # While there are calls, or more workers than needed, a tick looks at them.

    def _tick_soon(self) -> None:
        if self._ticking is None and not self._closing:
            self._ticking = self._loop.call_later(_TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        self._ticking = None
        if self._crew.generation is None:
            return
        self._end_strays()
        self._crew.top_up()
        self._crew.retire()
        if self._sent or self._waiting or self._strays or self._crew.size > sizing.BASE_WORKERS:
            self._tick_soon()

    def _end_strays(self) -> None:
        """Kill workers that run an answered call for the second tick; forget answered calls that nobody took.

        The second, because a worker that has just answered says so a moment later in its slot.
        """
        running = self._crew.running()
        strays = set()
        for row, (identity, _) in running.items():
            call = self._sent.get(identity)
            if call is None or call.answer.done():
                strays.add((row, identity))
        for row, identity in strays & self._strays:
            self._crew.kill(identity, row)
        self._strays = strays
        taken = {identity for identity, _ in running.values()}
        horizon = time.monotonic_ns() - _FORGET_NS
        for identity, call in list(self._sent.items()):
            if call.answer.done() and call.request.deadline_ns < horizon and identity not in taken:
                del self._sent[identity]


def _deadline_ns(timeout: float) -> int:
    return time.monotonic_ns() + int(timeout * 1_000_000_000)
