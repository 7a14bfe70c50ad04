"""A worker: takes a call from the shared socket, runs it, answers, and takes the next.

Runs in a process of its own, forked by the zygote, with one thread and nothing of the front. It keeps no deadline: at a
deadline the front answers, and has this process killed.
"""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import time
from pathlib import Path

from wasmoor_runtime.contract.document import CallLimits
from wasmoor_runtime.engine import usage
from wasmoor_runtime.engine.invocation import Invoker
from wasmoor_runtime.ports import Report, Step, Usage
from wasmoor_runtime.workers import frames, slots

# Beyond the guest's memory: the interpreter, and the call's data in its several forms. wasmtime's C API holds every
# byte of a list<u8> in 32 bytes.
_HEADROOM_BYTES = 256 * 1024 * 1024
_HEADROOM_PER_BODY_BYTE = 128
_HOST_STACK_BYTES = 8 * 1024 * 1024


def serve_calls(invoker: Invoker, sock: socket.socket, table: slots.SlotTable, row: int) -> None:
    """Serve until the front is gone or says that this worker is no longer needed."""
    buffer = bytearray(frames.LARGEST_FRAME)
    meter = usage.Meter(os.getpid())
    prepared = usage.NOTHING
    while (request := frames.receive_request(sock, buffer)) is not None:
        if request.kind == frames.RETIRE:
            return
        now = time.monotonic_ns()
        if now > request.deadline_ns:
            frames.send_reply(sock, request.call, None)
            continue
        before = meter.begin()
        if invoker.drop_stale():
            before = usage.carry(before, prepared)
        table.begin(row, request.call, now, before)

        def measure(fuel: int | None, before: usage.Reading = before) -> Usage:
            return usage.decide_usage(before, meter.read(), fuel)

        if request.kind == frames.PROBE:
            outcome = invoker.probe(measure)
        else:
            report = _reporting(sock, request.call) if request.kind == frames.RUN_REPORTING else None
            outcome = invoker.run(request.function, request.arguments, measure, report)
        frames.send_reply(sock, request.call, outcome)
        # When nobody waits, and before the slot is free, so that a start that hangs is ended by the front.
        if invoker.pays_to_prepare:
            began = meter.begin()
            if invoker.prepare():
                prepared = usage.decide_spent(began, meter.read())
        # After the answer: a worker that dies in between has answered, and the front looks for answers first.
        table.end(row)


def _reporting(sock: socket.socket, call: int) -> Report:
    def report(step: Step) -> None:
        frames.send_step(sock, call, step)

    return report


def limit_process(limits: CallLimits) -> None:
    """Bound what this process can allocate, a second wall behind the store's own limit, and let its stack be as deep.

    RLIMIT_DATA counts pages that can be written, not what wasmtime merely reserves. A guest's result is copied out of
    its memory by wasmtime into something larger, and nothing else bounds that.
    """
    largest_body = max(limits.request_bytes, limits.response_bytes)
    allowed = limits.memory_bytes + _HEADROOM_BYTES + _HEADROOM_PER_BODY_BYTE * largest_body
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or allowed < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (allowed, allowed))
    # Guests run on the thread's own stack; without room for it, a deep guest dies of SIGSEGV instead of a trap.
    _, hard = resource.getrlimit(resource.RLIMIT_STACK)
    stack = limits.stack_bytes + _HOST_STACK_BYTES
    resource.setrlimit(resource.RLIMIT_STACK, (stack if hard == resource.RLIM_INFINITY else min(stack, hard), hard))


def volunteer_for_oom() -> None:
    """Have the kernel take this process before the front when memory runs out, where it lets us say so."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")
