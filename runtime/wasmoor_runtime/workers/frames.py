"""Calls and answers as frames on the shared socket.

SOCK_SEQPACKET keeps frames whole, but truncates silently what is larger than the receiver's buffer and refuses what is
larger than the kernel's: bodies that do not fit `LARGEST_FRAME` travel as a memory file beside the header (SCM_RIGHTS),
both ways. Both ends are of the same version, started from the same files. A frame from a worker may come from a guest
that broke out: the front trusts no length in it.
"""

from __future__ import annotations

import array
import contextlib
import math
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from wasmoor_runtime.engine.usage import UNTOLD
from wasmoor_runtime.ports import Outcome, Step, Usage, Verdict

LARGEST_FRAME = 64 * 1024
LONGEST_MESSAGE = 1000  # characters

# call id, deadline (CLOCK_MONOTONIC ns), kind, body in a memory file?, length of the function's id, length of the body
_REQUEST = struct.Struct("<QQBBHI")
# call id, verdict, body in a memory file?, length of the message, length of the payload; then what was used: CPU
# seconds, bytes of memory, fuel, operations, bytes moved
_REPLY = struct.Struct("<QBBHIdQQQQ")
_NOTHING_USED = (0.0, 0, UNTOLD, UNTOLD, UNTOLD)
_ANCILLARY = socket.CMSG_SPACE(4 * array.array("i").itemsize)
_INT_BYTES = array.array("i").itemsize

_VERDICTS = tuple(Verdict)
_EXPIRED = 255
_STEP = 254  # no answer yet: how far the call is
# how far, of how much, is the latter known?
_STEP_BODY = struct.Struct("<ddB")

RUN, PROBE, RETIRE, RUN_REPORTING = range(4)


class BadFrame(Exception):
    """A frame that nobody of ours sends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a worker is asked to do: run a call (and tell how far it is), try an instance, or end."""

    call: int
    deadline_ns: int
    kind: int = RUN
    function: str = ""
    arguments: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came of a call; None when its deadline had passed before a worker took it."""

    call: int
    outcome: Outcome | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How far a call is."""

    call: int
    step: Step


def send_request(sock: socket.socket, request: Request) -> None:
    """Send a request; `BlockingIOError` when the socket is full."""
    name = request.function.encode()
    large = _REQUEST.size + len(name) + len(request.arguments) > LARGEST_FRAME
    header = _REQUEST.pack(request.call, request.deadline_ns, request.kind, large, len(name), len(request.arguments))
    _send(sock, header + name, request.arguments, large=large)


def receive_request(sock: socket.socket, buffer: bytearray) -> Request | None:
    """Wait for a request; None when the front is gone."""
    size, fds = _receive(sock, buffer)
    with _closing(fds):
        if not size:
            return None
        call, deadline, kind, large, name_size, body_size = _REQUEST.unpack_from(buffer)
        start = _REQUEST.size + name_size
        return Request(
            call=call,
            deadline_ns=deadline,
            kind=kind,
            function=buffer[_REQUEST.size : start].decode(),
            arguments=_body(buffer, start, size, body_size, fds if large else None),
        )


def send_reply(sock: socket.socket, call: int, outcome: Outcome | None) -> None:
    """Send what came of a call; None says that its deadline had passed."""
    if outcome is None:
        sock.send(_REPLY.pack(call, _EXPIRED, 0, 0, 0, *_NOTHING_USED))
        return
    message = outcome.message[:LONGEST_MESSAGE].encode("utf-8", "replace")
    large = _REPLY.size + len(message) + len(outcome.payload) > LARGEST_FRAME
    verdict = _VERDICTS.index(outcome.verdict)
    used = _pack_usage(outcome.usage)
    header = _REPLY.pack(call, verdict, large, len(message), len(outcome.payload), *used)
    _send(sock, header + message, outcome.payload, large=large)


def send_step(sock: socket.socket, call: int, step: Step) -> None:
    """Send how far a call is."""
    message = step.message[:LONGEST_MESSAGE].encode("utf-8", "replace")
    body = _STEP_BODY.pack(step.progress, step.total or 0.0, step.total is not None)
    sock.send(_REPLY.pack(call, _STEP, 0, len(message), len(body), *_NOTHING_USED) + message + body)


def receive_reply(sock: socket.socket, buffer: bytearray, largest: int) -> Reply | Told | None:
    """Return a reply whose payload has at most `largest` bytes, or how far a call is; None at the end of the stream.

    `BlockingIOError` when there is none, `BadFrame` for one that is not as it should be.
    """
    size, fds = _receive(sock, buffer)
    with _closing(fds):
        if not size:
            return None
        if size < _REPLY.size:
            raise BadFrame(f"{size} bytes are no reply")
        call, verdict, large, message_size, payload_size, *used = _REPLY.unpack_from(buffer)
        if verdict == _EXPIRED:
            return Reply(call=call, outcome=None)
        start = _REPLY.size + message_size
        if verdict == _STEP:
            return Told(call=call, step=_parse_step(bytes(buffer[_REPLY.size : size]), message_size))
        if verdict >= len(_VERDICTS) or payload_size > largest or start > size:
            raise BadFrame(f"verdict {verdict}, message of {message_size}, payload of {payload_size} bytes")
        outcome = Outcome(
            verdict=_VERDICTS[verdict],
            message=buffer[_REPLY.size : start].decode("utf-8", "replace"),
            payload=_body(buffer, start, size, payload_size, fds if large else None),
            usage=_unpack_usage(*used),
        )
        return Reply(call=call, outcome=outcome)


def _pack_usage(usage: Usage | None) -> tuple[float, int, int, int, int]:
    if usage is None:
        return _NOTHING_USED
    counts = (UNTOLD if each is None else each for each in (usage.fuel, usage.io_operations, usage.io_bytes))
    return (usage.cpu_seconds, usage.memory_bytes, *counts)  # type: ignore[return-value]


def _unpack_usage(cpu: float, memory: int, *counts: int) -> Usage | None:
    if (cpu, memory, *counts) == _NOTHING_USED:
        return None
    fuel, operations, moved = (None if each == UNTOLD else each for each in counts)
    return Usage(cpu_seconds=cpu, memory_bytes=memory, fuel=fuel, io_operations=operations, io_bytes=moved)


def _parse_step(content: bytes, message_size: int) -> Step:
    if len(content) != message_size + _STEP_BODY.size:
        raise BadFrame(f"{len(content)} bytes are no step")
    progress, total, known = _STEP_BODY.unpack_from(content, message_size)
    if not (math.isfinite(progress) and math.isfinite(total)):
        raise BadFrame("a step that is no number")
    message = content[:message_size].decode("utf-8", "replace")
    return Step(progress=progress, total=total if known else None, message=message)


def _send(sock: socket.socket, head: bytes, body: bytes, *, large: bool) -> None:
    if not large:
        sock.send(head + body)
        return
    fd = os.memfd_create("wasmoor-body", os.MFD_CLOEXEC)
    try:
        _write_all(fd, body)
        socket.send_fds(sock, [head], [fd])
    finally:
        os.close(fd)


def _receive(sock: socket.socket, buffer: bytearray) -> tuple[int, list[int]]:
    size, ancillary, _flags, _address = sock.recvmsg_into([buffer], _ANCILLARY, socket.MSG_CMSG_CLOEXEC)
    fds = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(data[: len(data) - len(data) % _INT_BYTES])
    return size, list(fds)


@contextlib.contextmanager
def _closing(fds: list[int]) -> Iterator[None]:
    try:
        yield
    finally:
        for fd in fds:
            os.close(fd)


def _body(buffer: bytearray, start: int, size: int, length: int, fds: list[int] | None) -> bytes:
    if fds is None:
        if start + length != size:
            raise BadFrame(f"a body of {length} bytes in a frame of {size}")
        return bytes(buffer[start:size])
    body = b"".join(_read_all(fds[0], length)) if fds else b""
    if len(body) != length:
        raise BadFrame(f"{len(body)} of {length} bytes are there")
    return body


def _write_all(fd: int, body: bytes) -> None:
    rest = memoryview(body)
    while rest:
        rest = rest[os.write(fd, rest) :]


def _read_all(fd: int, length: int) -> Iterator[bytes]:
    offset = 0
    while offset < length and (chunk := os.pread(fd, length - offset, offset)):
        offset += len(chunk)
        yield chunk
