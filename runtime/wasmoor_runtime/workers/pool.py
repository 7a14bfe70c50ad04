"""The pool: admits calls, queues them, keeps their deadlines, and has as many workers as they need.

Runs in the front's event loop and never imports wasmtime. Every call ends in exactly one `Outcome`, whatever guests,
workers and zygotes do: by a worker's answer, by its deadline, by its worker's death, or by the end of the pool. A
caller that goes away ends its call and the worker that runs it.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path

from wasmoor_runtime.contract.document import CallLimits
from wasmoor_runtime.contract.status import WorkerStatus
from wasmoor_runtime.errors import RuntimeFault, Stalled
from wasmoor_runtime.ports import Blob, Function, Outcome, Verdict
from wasmoor_runtime.workers import frames, sizing
from wasmoor_runtime.workers.generation import Generation
from wasmoor_runtime.workers.job import CodeUnusable

_TICK_SECONDS = 0.05  # how often slow calls are looked for, while there are calls
_RETIRE_SECONDS = 5.0  # how often workers that are not needed are let go
_PROBE_SECONDS = 5.0  # a component may take this long to start, or as long as a call if that is longer
_STABLE_SECONDS = 30.0  # a zygote that lived this long did not fail at once
_FORGET_NS = 10_000_000_000
_NOT_LINKED = "matching implementation was not found"

logger = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True, eq=False)
class _Call:
    """A call on its way."""

    request: frames.Request
    answer: asyncio.Future[Outcome]
    began: float  # time.monotonic()

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
    """A `ports.Pool`."""

    def __init__(self, compiled: Path, blob: Blob, limits: CallLimits) -> None:
        self._compiled = compiled.absolute()
        self._blob = replace(blob, path=blob.path.absolute())
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._functions: tuple[Function, ...] = ()
        self._generation: Generation | None = None
        self._restarting: asyncio.Task[None] | None = None
        self._closing = False
        self._ids = itertools.count(1)
        self._waiting: deque[_Call] = deque()
        self._sent: dict[int, _Call] = {}
        self._forking: set[int] = set()  # rows of workers asked for
        self._alive: set[int] = set()  # rows of workers that are there
        self._ending: set[int] = set()  # rows of workers asked to be killed
        self._strays: set[tuple[int, int]] = set()  # row and call of work nobody waits for, seen at the last tick
        self._replaced = 0
        self._crashed = 0
        self._failures = 0  # workers or zygotes that died in a row without having answered
        self._fork_later: asyncio.TimerHandle | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._retire_at = 0.0
        self._idle = asyncio.Event()

    @property
    def functions(self) -> tuple[Function, ...]:
        """What the component exports, in its own order, unsupported functions included."""
        return self._functions

    def status(self) -> WorkerStatus:
        """Return what the processes do now."""
        running = self._generation.table.running() if self._generation else {}
        busy = sum(call in self._sent for call, _ in running.values())
        return WorkerStatus(
            alive=len(self._alive),
            busy=busy,
            queued=len(self._waiting) + len(self._sent) - busy,
            replaced=self._replaced,
            crashed=self._crashed,
        )

    async def open(self) -> None:
        """Start the processes and try an instance. Raises `Stalled` or `Waiting`."""
        await self._start_generation()
        timeout = max(_PROBE_SECONDS, self._limits.timeout_seconds)
        probe = frames.Request(call=next(self._ids), deadline_ns=_deadline_ns(timeout), kind=frames.PROBE)
        outcome = await self._submit(probe, timeout)
        if outcome.verdict == Verdict.EXECUTION_TIMEOUT:
            raise Stalled("CompileFailed", f"the component could not be started within {timeout:g} seconds")
        if outcome.verdict != Verdict.OK:
            reason = "UnsupportedInterface" if _NOT_LINKED in outcome.message else "CompileFailed"
            raise Stalled(reason, outcome.message)

    async def call(self, function: str, arguments: bytes, *, timeout: float) -> Outcome:
        """Run one call; see `ports.Pool.call`."""
        refused = self._refuse(arguments)
        if refused is not None:
            return refused
        request = frames.Request(
            call=next(self._ids), deadline_ns=_deadline_ns(timeout), function=function, arguments=arguments
        )
        return await self._submit(request, timeout)

    async def close(self, grace: float) -> None:
        """Let calls finish for `grace` seconds, then answer the rest with `Unavailable` and end all processes."""
        self._closing = True
        if grace > 0 and (self._sent or self._waiting):
            self._idle.clear()
            try:
                async with asyncio.timeout(grace):
                    await self._idle.wait()
            except TimeoutError:
                pass
        if self._restarting is not None:
            self._restarting.cancel()
            await asyncio.gather(self._restarting, return_exceptions=True)
        self._settle_all(Outcome(verdict=Verdict.UNAVAILABLE, message="the component is being stopped"))
        for timer in (self._fork_later, self._ticking):
            if timer is not None:
                timer.cancel()
        if self._generation is not None:
            generation, self._generation = self._generation, None
            await generation.close()
        self._alive.clear()

    def _refuse(self, arguments: bytes) -> Outcome | None:
        """Return why a call cannot even wait, if it cannot."""
        limits = self._limits
        if self._closing:
            return Outcome(verdict=Verdict.UNAVAILABLE, message="the component is being stopped")
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

    async def _submit(self, request: frames.Request, timeout: float) -> Outcome:
        call = _Call(request=request, answer=self._loop.create_future(), began=time.monotonic())
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
        if call.request.call in self._sent:
            message = f"the call took longer than {timeout:g} seconds and was ended"
            outcome = Outcome(verdict=Verdict.EXECUTION_TIMEOUT, message=message)
        elif self._alive:
            message = f"the call waited for {timeout:g} seconds and did not begin: others took all workers"
            outcome = Outcome(verdict=Verdict.EXECUTION_TIMEOUT, message=message)
        else:
            message = f"no process could be started that runs the call within {timeout:g} seconds"
            outcome = Outcome(verdict=Verdict.UNAVAILABLE, message=message)
        call.settle(outcome)
        self._abandon(call)

    def _abandon(self, call: _Call) -> None:
        """Have nobody work on a call that is answered: withdraw it, or end its worker.

        A frame in the kernel's queue cannot be withdrawn; a worker that takes it is found at a tick.
        """
        if call.request.call not in self._sent:
            if call in self._waiting:
                self._waiting.remove(call)
            return
        generation = self._generation
        row = generation.table.find(call.request.call) if generation else None
        if row is not None:
            self._kill(row, call.request.call)

    def _kill(self, row: int, call: int) -> None:
        if row in self._alive and row not in self._ending and self._generation is not None:
            self._ending.add(row)
            self._generation.kill(row, call)

    def _dispatch(self) -> None:
        """Hand waiting calls to the kernel, as far as its queue is to be filled."""
        while self._waiting and self._generation and self._alive:
            if len(self._sent) >= len(self._alive) + sizing.AHEAD:
                return
            call = self._waiting[0]
            if not self._generation.send(call.request):
                return
            self._waiting.popleft()
            self._sent[call.request.call] = call

    # What a generation tells.

    def on_reply(self, reply: frames.Reply) -> None:
        """A worker answered."""
        self._failures = 0
        call = self._sent.pop(reply.call, None)
        if call is not None and reply.outcome is not None:
            call.settle(reply.outcome)
        self._dispatch()

    def on_writable(self) -> None:
        """The socket takes requests again."""
        self._dispatch()

    def on_forked(self, row: int) -> None:
        """A worker is there."""
        self._forking.discard(row)
        self._alive.add(row)
        self._dispatch()

    def on_spared(self, row: int) -> None:
        """A worker had gone on to another call."""
        self._ending.discard(row)

    def on_exited(self, row: int, *, killed: bool, cause: str) -> None:
        """A worker is gone; its call ends with it, unless it has answered."""
        if self._generation is None:
            return
        self._generation.drain()
        table = self._generation.table
        call = self._sent.pop(table.call(row), None)
        table.end(row)
        for rows in (self._forking, self._alive, self._ending):
            rows.discard(row)
        if killed:
            self._replaced += 1
        elif cause:
            self._crashed += 1
            self._failures += 1
            logger.warning("a worker %s", cause)
        if call is not None:
            call.settle(Outcome(verdict=Verdict.CRASHED, message=f"the process that ran the call {cause}"))
        self._top_up()
        self._dispatch()

    def on_lost(self) -> None:
        """The zygote is gone: every call handed out has ended, those that wait are kept for the next one."""
        generation, self._generation = self._generation, None
        if generation is None or self._closing:
            return
        logger.error("the process that starts workers died; starting another")
        self._crashed += len(self._alive)
        for rows in (self._forking, self._alive, self._ending):
            rows.clear()
        lost = Outcome(verdict=Verdict.CRASHED, message="the processes that run calls died and are started again")
        for call in self._sent.values():
            call.settle(lost)
        self._sent.clear()
        self._restarting = asyncio.create_task(self._restart(generation), name="wasmoor-pool-restart")

    # Workers, as many as are needed.

    async def _start_generation(self) -> None:
        rows = self._limits.concurrency
        generation, functions = await Generation.start(self._compiled, self._blob, self._limits, rows, self)
        self._generation = generation
        self._functions = self._functions or functions
        self._top_up()

    async def _restart(self, dead: Generation) -> None:
        await dead.close()
        while self._generation is None:
            self._failures += 1
            await asyncio.sleep(sizing.decide_delay(self._failures))
            try:
                await self._start_generation()
            except RuntimeFault as fault:
                logger.error("starting the component again failed: %s", fault)  # noqa: TRY400 - a fault, no defect
        self._tick_soon()

    def _top_up(self) -> None:
        """Ask for the workers that are missing, later if they have been dying at once."""
        if self._generation is None or self._closing or self._fork_later is not None:
            return
        delay = sizing.decide_delay(self._failures)
        if delay:
            self._fork_later = self._loop.call_later(delay, self._fork_missing)
        else:
            self._fork_missing()

    def _fork_missing(self) -> None:
        self._fork_later = None
        if self._generation is None:
            return
        taken = self._alive | self._forking
        free = [row for row in range(self._limits.concurrency) if row not in taken]
        for row in free[: max(0, self._wanted() - len(taken))]:
            self._forking.add(row)
            self._generation.fork(row)

    def _wanted(self) -> int:
        running = self._generation.table.running() if self._generation else {}
        now = time.monotonic_ns()
        slow = sum(now - since > sizing.SLOW_NS for _, since in running.values())
        return sizing.decide_workers(sizing.Load(limit=self._limits.concurrency, slow=slow))

    def _tick_soon(self) -> None:
        if self._ticking is None and not self._closing:
            self._ticking = self._loop.call_later(_TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        """Grow, let go, and look for work that nobody waits for. Stops when there is nothing to look at."""
        self._ticking = None
        if self._generation is None:
            return
        self._end_strays()
        self._top_up()
        self._retire()
        if self._sent or self._waiting or self._strays or len(self._alive) > sizing.BASE_WORKERS:
            self._tick_soon()

    def _end_strays(self) -> None:
        """Kill workers that run an answered call for the second tick; forget answered calls that nobody took."""
        generation = self._generation
        if generation is None:
            return
        running = generation.table.running()
        strays = set()
        for row, (identity, _) in running.items():
            call = self._sent.get(identity)
            if call is None or call.answer.done():
                strays.add((row, identity))
        for row, identity in strays & self._strays:
            self._kill(row, identity)
        self._strays = strays
        taken = {identity for identity, _ in running.values()}
        horizon = time.monotonic_ns() - _FORGET_NS
        for identity, call in list(self._sent.items()):
            if call.answer.done() and call.request.deadline_ns < horizon and identity not in taken:
                del self._sent[identity]

    def _retire(self) -> None:
        """Let go of workers beyond what is wanted, a few seconds after they were last needed."""
        surplus = len(self._alive) - self._wanted()
        now = self._loop.time()
        if surplus <= 0 or self._waiting:
            self._retire_at = now + _RETIRE_SECONDS
        elif now >= self._retire_at and self._generation is not None:
            self._retire_at = now + _RETIRE_SECONDS
            for _ in range(surplus):
                self._generation.send(frames.Request(call=0, deadline_ns=0, kind=frames.RETIRE))

    def _settle_all(self, outcome: Outcome) -> None:
        for call in (*self._waiting, *self._sent.values()):
            call.settle(outcome)
        self._waiting.clear()
        self._sent.clear()


def _deadline_ns(timeout: float) -> int:
    return time.monotonic_ns() + int(timeout * 1_000_000_000)
