"""The front's handle on one zygote and its workers.

Starts the process, carries requests and answers, and tells its `Listener` what happens. It keeps no calls and decides
nothing: that is `pool`. When the zygote dies, everything of this generation has died, and another must be started.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import subprocess
from pathlib import Path
from typing import Any, Protocol

from wasmoor_runtime.contract.document import CallLimits
from wasmoor_runtime.engine import children, usage
from wasmoor_runtime.errors import RuntimeFault, Stalled, Waiting
from wasmoor_runtime.ports import Blob, Usage
from wasmoor_runtime.workers import frames, slots
from wasmoor_runtime.workers import job as jobs
from wasmoor_runtime.workers.job import Loaded

_MODULE = "wasmoor_runtime.workers.zygote"
_START_SECONDS = 60.0
_END_SECONDS = 2.0
_RETRY_SECONDS = 5.0
_LARGEST_REPORT = 16 * 1024 * 1024  # one line from the zygote; the functions with their schemas are the longest
_REPLIES_AT_ONCE = 256  # then the event loop has its turn; more than workers can have sent while they wait for more
_ENVELOPE_BYTES = 4096  # what may come on top of the largest answer

logger = logging.getLogger(__name__)


class Listener(Protocol):
    """Who is told what happens; all of it in the event loop."""

    def on_reply(self, reply: frames.Reply) -> None:
        """A worker answered."""

    def on_told(self, told: frames.Told) -> None:
        """A worker says how far its call is."""

    def on_writable(self) -> None:
        """The socket takes requests again."""

    def on_forked(self, row: int) -> None:
        """A worker is there."""

    def on_spared(self, row: int) -> None:
        """A worker was not killed: it had gone on to another call."""

    def on_exited(self, row: int, *, killed: bool, cause: str) -> None:
        """A worker is gone: killed on request, ended as it should (`cause` is empty), or died."""

    def on_lost(self) -> None:
        """The zygote is gone, and all workers with it."""


class Generation:
    """One zygote, from start to end."""

    def __init__(self, job: jobs.Job, listener: Listener) -> None:
        self._listener = listener
        self._largest = job.limits.response_bytes + _ENVELOPE_BYTES
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray(frames.LARGEST_FRAME)
        self._reading: asyncio.Task[None] | None = None
        self._closed = False
        self._waiting_to_write = False
        self._pids: dict[int, int] = {}
        fd = slots.SlotTable.allocate(job.rows)
        self.table = slots.SlotTable(fd, job.rows)
        self._work, worker_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control, zygote_end = socket.socketpair()
        self._work.setblocking(False)
        self._control.setblocking(False)
        try:
            self._process = _spawn(job, zygote_end, worker_end, fd)
        finally:
            # The front must not hold the workers' ends: they would stay open when all workers are gone.
            zygote_end.close()
            worker_end.close()
            os.close(fd)

    @classmethod
    async def start(
        cls, compiled: Path, blob: Blob, limits: CallLimits, rows: int, listener: Listener
    ) -> tuple[Generation, Loaded]:
        """Return a generation whose component is loaded, and what that is. Raises `Stalled` or `Waiting`.

        Both paths must be absolute: the zygote runs in the root directory.
        """
        job = jobs.Job(compiled=str(compiled), blob=str(blob.path), limits=limits, rows=rows)
        try:
            generation = cls(job, listener)
        except OSError as error:
            raise Waiting("Crashed", f"no process could be started: {error}", delay=_RETRY_SECONDS) from None
        try:
            async with asyncio.timeout(_START_SECONDS):
                return generation, await generation._open()
        except TimeoutError:
            await generation.close()
            raise Waiting(
                "Crashed", f"loading the component took longer than {_START_SECONDS:g} seconds", delay=_RETRY_SECONDS
            ) from None
        except BaseException:
            await generation.close()
            raise

    async def _open(self) -> Loaded:
        reader, _writer = await asyncio.open_unix_connection(sock=self._control, limit=_LARGEST_REPORT)
        self._writer = _writer
        report = await _read_report(reader)
        if report is None:
            raise Waiting("Crashed", "the process that loads the component died", delay=_RETRY_SECONDS)
        if report["event"] == "failed":
            raise _fault(report["fault"], report["reason"], report["message"])
        self._loop.add_reader(self._work.fileno(), self._read_replies)
        self._reading = asyncio.create_task(self._read_reports(reader), name="wasmoor-zygote-reports")
        return Loaded.from_report(report)

    def fork(self, row: int) -> None:
        """Ask for a worker in this row."""
        self._command(op="fork", row=row)

    def kill(self, row: int, call: int) -> None:
        """Ask for the end of the worker in this row if it still runs this call."""
        self._command(op="kill", row=row, call=call)

    def send(self, request: frames.Request) -> bool:
        """Hand a request to whichever worker is free; False when the socket is full, `on_writable` follows."""
        try:
            frames.send_request(self._work, request)
        except BlockingIOError:
            if not self._waiting_to_write:
                self._waiting_to_write = True
                self._loop.add_writer(self._work.fileno(), self._on_writable)
            return False
        except (ConnectionError, BrokenPipeError):
            return False  # nobody is there any more; `on_lost` is on its way
        return True

    def measure(self, row: int, call: int) -> Usage | None:
        """Return what the call in this row has used so far, asked of the kernel; None when it has ended.

        Fuel is not known before the worker tells.
        """
        pid = self._pids.get(row)
        if pid is None:
            return None
        before = self.table.used(row)
        try:
            with contextlib.closing(usage.Meter(pid)) as meter:
                now = meter.read()
        except OSError:
            return None
        # Looked at afterwards: a worker that still runs this call is the one that was read.
        return usage.decide_usage(before, now, None) if self.table.call(row) == call else None

    def drain(self) -> None:
        """Read the answers that are there: before a worker's death is taken for the end of its call."""
        self._read_replies()

    async def close(self) -> None:
        """End the zygote and all workers; returns when the zygote is reaped."""
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._work.fileno())
        self._loop.remove_writer(self._work.fileno())
        if self._reading is not None and self._reading is not asyncio.current_task():
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        writer = getattr(self, "_writer", None)
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        self._control.close()
        self._work.close()
        await self._reap()
        self.table.close()

    async def _reap(self) -> None:
        """Wait for the zygote, which ends when its control socket does, and end it if it does not."""
        deadline = self._loop.time() + _END_SECONDS
        # Polled, because what tells of a child's end without polling differs between event loops.
        while self._process.poll() is None:
            if self._loop.time() > deadline:
                self._process.kill()
            await asyncio.sleep(0.005)
        for pid in self._pids.values():
            while not _is_reaped(pid) and self._loop.time() < deadline:  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    def _command(self, **command: Any) -> None:
        self._writer.write(json.dumps(command).encode() + b"\n")

    def _on_writable(self) -> None:
        self._waiting_to_write = False
        self._loop.remove_writer(self._work.fileno())
        self._listener.on_writable()

    def _read_replies(self) -> None:
        for _ in range(_REPLIES_AT_ONCE):
            if self._closed:
                return
            try:
                reply = frames.receive_reply(self._work, self._buffer, self._largest)
            except BlockingIOError:
                return
            except (frames.BadFrame, OSError) as error:
                logger.warning("an answer of a worker could not be read: %s", error)
                continue
            if reply is None:
                self._loop.remove_reader(self._work.fileno())
                return
            if isinstance(reply, frames.Told):
                self._listener.on_told(reply)
            else:
                self._listener.on_reply(reply)

    async def _read_reports(self, reader: asyncio.StreamReader) -> None:
        while (report := await _read_report(reader)) is not None:
            match report["event"]:
                case "forked":
                    self._pids[report["row"]] = report["pid"]
                    self._listener.on_forked(report["row"])
                case "spared":
                    self._listener.on_spared(report["row"])
                case "exited":
                    self._pids.pop(report["row"], None)
                    self._listener.on_exited(report["row"], killed=report["killed"], cause=report["cause"])
        self._listener.on_lost()


def _spawn(job: jobs.Job, control: socket.socket, work: socket.socket, table: int) -> subprocess.Popen[bytes]:
    """Start the process. It must be the loop's thread that does: the child dies with the thread that made it."""
    descriptors = (control.fileno(), work.fileno(), table)
    arguments = (str(os.getpid()), *map(str, descriptors), job.to_json())
    return subprocess.Popen(
        children.child_command(_MODULE, arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=None,  # the pod's log
        env=children.child_environment(),
        cwd="/",
        pass_fds=descriptors,
        start_new_session=True,  # Ctrl-C on a terminal is for the front, which then ends its calls in order
    )


def _fault(kind: str, reason: str, message: str) -> RuntimeFault:
    if kind == "unusable":
        return jobs.CodeUnusable(message)
    if kind == "stalled":
        return Stalled(reason, message)
    return Waiting(reason, message, delay=_RETRY_SECONDS)


def _is_reaped(worker: int) -> bool:
    """Reap a worker that outlived its zygote by a moment; in a container its new parent is this process, as pid 1."""
    try:
        return os.waitpid(worker, os.WNOHANG)[0] == worker
    except ChildProcessError:
        return True  # somebody else's by now


async def _read_report(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """Return the zygote's next report; None when it is gone or says what nobody of ours says."""
    try:
        line = await reader.readline()
        report = json.loads(line) if line.endswith(b"\n") else None
    except (ValueError, ConnectionError):
        return None
    return report if isinstance(report, dict) else None
