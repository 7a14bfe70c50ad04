"""The zygote: `python -m wasmoor_runtime.workers.zygote PARENT CONTROL WORK SLOTS JOB`.

Loads one component and forks workers on request. PARENT is the front's pid, CONTROL, WORK and SLOTS are inherited
descriptors, JOB is a `job.Job` as JSON. It has one thread and keeps it that way: a fork copies no others.

On CONTROL, one JSON object a line. From the front: `{"op": "fork", "row": 0}`, `{"op": "kill", "row": 0, "call": 7}`.
To the front: `ready` with the functions or `failed` with a reason, then `forked`, `exited` and `spared`. When the
front closes its end, or dies, everything here ends.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from wasmoor_runtime.artifacts import metadata
from wasmoor_runtime.capabilities import catalog
from wasmoor_runtime.contract.document import CallLimits
from wasmoor_runtime.engine import children, inspection, machine
from wasmoor_runtime.engine.invocation import Invoker
from wasmoor_runtime.engine.reports import Reports
from wasmoor_runtime.engine.settings import EngineSettings
from wasmoor_runtime.errors import RuntimeFault, Stalled, Waiting
from wasmoor_runtime.workers import job as jobs
from wasmoor_runtime.workers import slots, worker
from wasmoor_runtime.workers.job import CodeUnusable, Loaded

_LARGEST_COMMAND = 64 * 1024
# How long a worker may take to stop before it is killed without a look at its call.
_STOP_SECONDS = 0.05
_STOP_POLL_SECONDS = 0.0001


def main(arguments: Sequence[str]) -> int:
    """Run until the front is gone."""
    parent, control, work, table, job = arguments
    children.enter_child(int(parent))
    commands = socket.socket(fileno=int(control))
    sock = socket.socket(fileno=int(work))
    task = jobs.Job.from_json(job)
    try:
        invoker, loaded = load_component(task)
    except RuntimeFault as fault:
        kind = next(name for name, each in jobs.FAULTS.items() if isinstance(fault, each))
        _report(commands, event="failed", fault=kind, reason=fault.reason, message=fault.message)
        return 0
    # What is loaded now lives for ever; without this, each worker's first collection would copy the pages of all of it.
    gc.collect()
    gc.freeze()
    _report(commands, event="ready", **loaded.to_report())
    Zygote(invoker, commands, sock, slots.SlotTable(int(table), task.rows), task.limits).run()
    return 0


def load_component(job: jobs.Job) -> tuple[Invoker, Loaded]:
    """Return what runs calls, and what the component is. Raises `Stalled` or `Waiting`."""
    reports = Reports()
    capabilities = catalog.build_capabilities(reports)
    engine = machine.build_engine(EngineSettings.from_limits(job.limits))
    try:
        component = machine.load_component(engine, Path(job.compiled))
    except machine.WasmtimeError as error:
        raise CodeUnusable(f"compiled code did not load: {machine.short_message(error)}") from None
    try:
        linker = machine.build_linker(engine, component, capabilities)
    except machine.WasmtimeError as error:
        raise Stalled("UnsupportedInterface", machine.short_message(error)) from None
    exports = inspection.inspect_exports(engine, component)
    try:
        data = Path(job.blob).read_bytes()
    except OSError as error:
        raise Waiting("CompileFailed", f"{job.blob} cannot be read: {error.strerror}") from None
    loaded = Loaded(
        functions=inspection.describe_functions(exports, inspection.read_docs(data)),
        profile=inspection.build_profile(engine, component, metadata.parse_metadata(data)),
    )
    invoker = Invoker(
        engine=engine,
        component=component,
        linker=linker,
        capabilities=capabilities,
        exports=exports,
        limits=job.limits,
        reports=reports,
    )
    return invoker, loaded


class Zygote:
    """Forks, kills and reaps workers."""

    def __init__(
        self,
        invoker: Invoker,
        commands: socket.socket,
        work: socket.socket,
        table: slots.SlotTable,
        limits: CallLimits,
    ) -> None:
        self._invoker = invoker
        self._commands = commands
        self._work = work
        self._table = table
        self._limits = limits
        self._pids: dict[int, int] = {}
        self._killed: set[int] = set()
        self._unread = b""

    def run(self) -> None:
        """Obey the front until it is gone, then end all workers."""
        wakeup, notify = socket.socketpair()
        wakeup.setblocking(False)
        notify.setblocking(False)
        signal.set_wakeup_fd(notify.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        with selectors.DefaultSelector() as selector:
            selector.register(self._commands, selectors.EVENT_READ)
            selector.register(wakeup, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                if wakeup in ready:
                    with contextlib.suppress(BlockingIOError):
                        wakeup.recv(4096)
                    self._reap()
                if self._commands in ready and not self._obey():
                    break
        signal.set_wakeup_fd(-1)
        for pid in self._pids.values():
            os.kill(pid, signal.SIGKILL)
        for pid in self._pids.values():
            os.waitpid(pid, 0)

    def _obey(self) -> bool:
        """Read commands and do them; False when the front is gone."""
        try:
            data = self._commands.recv(_LARGEST_COMMAND)
        except ConnectionError:
            return False
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            command = json.loads(line)
            if command["op"] == "fork":
                self._fork(command["row"])
            else:
                self._kill(command["row"], command["call"])
        return bool(data)

    def _fork(self, row: int) -> None:
        zygote = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            _report(self._commands, event="exited", row=row, killed=False, cause=f"could not be forked: {error}")
            return
        if pid == 0:
            _become_worker(lambda: self._work_for(row, zygote))
        self._pids[row] = pid
        _report(self._commands, event="forked", row=row, pid=pid)

    def _work_for(self, row: int, zygote: int) -> None:
        children.enter_child(zygote)
        self._commands.close()
        worker.volunteer_for_oom()
        worker.limit_process(self._limits)
        worker.serve_calls(self._invoker, self._work, self._table, row)

    def _kill(self, row: int, call: int) -> None:
        """Kill the worker of this row if it still runs this call.

        A stopped process cannot go on to another call, and until it is reaped here its pid is nobody else's.
        """
        pid = self._pids.get(row)
        if pid is None:
            return
        os.kill(pid, signal.SIGSTOP)
        deadline = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < deadline:
            if os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                break
            time.sleep(_STOP_POLL_SECONDS)
        if self._table.call(row) == call:
            self._killed.add(row)
            os.kill(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGCONT)
            _report(self._commands, event="spared", row=row)

    def _reap(self) -> None:
        rows = {pid: row for row, pid in self._pids.items()}
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            row = rows.get(pid)
            if row is not None:
                del self._pids[row]
                killed = row in self._killed
                self._killed.discard(row)
                _report(self._commands, event="exited", row=row, killed=killed, cause=_describe_exit(status))


def _become_worker(work: Callable[[], None]) -> None:
    """Run `work` in a process just forked, and end it without running the zygote's own clean-up."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        work()
        code = 0
    except BaseException as error:  # noqa: BLE001 - nothing of ours is above this frame
        with contextlib.suppress(Exception):
            sys.stderr.write(f"worker {os.getpid()}: {type(error).__name__}: {error}\n")
            sys.stderr.flush()
    finally:
        # wasmtime's threads may call back into an interpreter that is shutting down.
        os._exit(code)


def _describe_exit(status: int) -> str:
    """Return how a process ended; empty when it ended as it should."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"ended with exit code {code}" if code else ""
    hint = ", perhaps for lack of memory" if -code in {signal.SIGKILL, signal.SIGABRT} else ""
    return f"was killed by signal {-code}{hint}"


def _report(commands: socket.socket, **event: Any) -> None:
    with contextlib.suppress(ConnectionError):
        commands.sendall(json.dumps(event).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
