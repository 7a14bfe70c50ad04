from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from wasmoor_runtime.ports import Outcome, Step, Usage, Verdict
from wasmoor_runtime.workers import frames
from wasmoor_runtime.workers.frames import BadFrame, Request

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    front, worker = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    front.setblocking(False)
    with front, worker:
        yield front, worker


def buffer() -> bytearray:
    return bytearray(frames.LARGEST_FRAME)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("size", [0, 10, frames.LARGEST_FRAME - 100, frames.LARGEST_FRAME, 3_000_000])
def test_bodies_of_any_size_pass_both_ways_and_leave_no_file_open(pair: Pair, size: int) -> None:
    front, worker = pair
    body = os.urandom(size)
    request = Request(call=2**63, deadline_ns=12, kind=frames.RUN, function="acme:é/a#b", arguments=body)
    usage = Usage(cpu_seconds=0.25, memory_bytes=65536, fuel=7, io_operations=0)
    outcome = Outcome(verdict=Verdict.OK, payload=body, message="", usage=usage)
    before = open_files()

    frames.send_request(front, request)
    received = frames.receive_request(worker, buffer())
    frames.send_reply(worker, 7, outcome)
    reply = frames.receive_reply(front, buffer(), largest=4_000_000)

    assert received == request
    assert reply == frames.Reply(call=7, outcome=outcome)
    assert open_files() == before


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_passes(pair: Pair, verdict: Verdict) -> None:
    front, worker = pair

    frames.send_reply(worker, 1, Outcome(verdict=verdict, message="warum nicht: ä"))
    reply = frames.receive_reply(front, buffer(), largest=0)

    assert isinstance(reply, frames.Reply)
    assert reply.outcome == Outcome(verdict=verdict, message="warum nicht: ä")


@pytest.mark.parametrize("total", [None, 0.0, 100.0])
@pytest.mark.parametrize("message", ["", "half of it: ½"])
def test_a_step_passes(pair: Pair, total: float | None, message: str) -> None:
    front, worker = pair
    step = Step(progress=12.5, total=total, message=message)

    frames.send_step(worker, 3, step)

    assert frames.receive_reply(front, buffer(), largest=0) == frames.Told(call=3, step=step)


@pytest.mark.parametrize("step", [Step(progress=float("nan")), Step(progress=1.0, total=float("inf"))])
def test_a_step_that_is_no_number_is_a_bad_frame(pair: Pair, step: Step) -> None:
    front, worker = pair
    frames.send_step(worker, 3, step)

    with pytest.raises(BadFrame):
        frames.receive_reply(front, buffer(), largest=0)


def test_a_call_that_came_too_late_is_given_back_without_an_outcome(pair: Pair) -> None:
    front, worker = pair

    frames.send_reply(worker, 9, None)

    assert frames.receive_reply(front, buffer(), largest=0) == frames.Reply(call=9, outcome=None)


def test_the_end_of_the_other_side_is_seen(pair: Pair) -> None:
    front, worker = pair
    front.close()

    assert frames.receive_request(worker, buffer()) is None


def test_an_empty_socket_is_no_end(pair: Pair) -> None:
    with pytest.raises(BlockingIOError):
        frames.receive_reply(pair[0], buffer(), largest=0)


def test_a_payload_larger_than_allowed_is_no_answer(pair: Pair) -> None:
    front, worker = pair
    frames.send_reply(worker, 1, Outcome(verdict=Verdict.OK, payload=b"x" * 11))

    with pytest.raises(BadFrame):
        frames.receive_reply(front, buffer(), largest=10)


@pytest.mark.parametrize("data", [b"x", b"\xfe" * 40, b"\0" * 24 + b"more"], ids=["short", "nonsense", "too long"])
def test_a_frame_of_nonsense_is_no_answer(pair: Pair, data: bytes) -> None:
    front, worker = pair
    worker.send(data)

    with pytest.raises(BadFrame):
        frames.receive_reply(front, buffer(), largest=10**9)


def test_a_memory_file_that_is_shorter_than_announced_is_no_answer(pair: Pair) -> None:
    front, worker = pair
    frames.send_reply(worker, 1, Outcome(verdict=Verdict.OK, payload=b"x" * 100_000))
    header, fds, _, _ = socket.recv_fds(front, 100, 1)
    os.ftruncate(fds[0], 10)
    socket.send_fds(worker, [header], fds)
    os.close(fds[0])
    before = open_files()

    with pytest.raises(BadFrame, match="10 of 100000"):
        frames.receive_reply(front, buffer(), largest=10**9)

    assert open_files() == before


def test_files_that_nobody_asked_for_are_closed(pair: Pair) -> None:
    front, worker = pair
    before = open_files()
    socket.send_fds(worker, [b"nonsense"], [0, 1, 2])

    with pytest.raises(BadFrame):
        frames.receive_reply(front, buffer(), largest=10)

    assert open_files() == before
