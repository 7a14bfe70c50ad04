"""Asks a server as fast as it answers: with `load.c`, or with the same in Python where there is no compiler."""

from __future__ import annotations

import json
import shutil
import socket
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SOURCE = Path(__file__).with_name("load.c")
_GRACE_SECONDS = 60
_MICROSECONDS = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The bytes of an HTTP request, and what stands in a good answer."""

    data: bytes
    expected: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What came of one kind of requests; latencies in microseconds."""

    good: int = 0
    bad: int = 0
    p50: float = 0.0
    p99: float = 0.0
    max: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of one run."""

    seconds: float
    unanswered: int
    calls: Answers
    others: Answers

    @property
    def per_second(self) -> float:
        """Good answers a second."""
        return self.calls.good / self.seconds if self.seconds else 0.0


class Load:
    """A load generator in a directory of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._program = folder / "load"
        self.compiled = self._compile()

    def run(
        self,
        port: int,
        connections: int,
        seconds: float,
        request: Request,
        *,
        other: Request | None = None,
        every: int = 0,
    ) -> Report:
        """Ask for so long on so many connections; every so many requests the other one, if there is one."""
        if not self.compiled:
            return _run_slowly(port, connections, seconds, request, other, every)
        files = [self._folder / "request", self._folder / "other"]
        files[0].write_bytes(request.data)
        words: list[str | bytes] = [
            str(self._program),
            str(port),
            str(connections),
            str(seconds * 1000),
            str(files[0]),
            request.expected,
        ]
        if other is not None:
            files[1].write_bytes(other.data)
            words += [str(files[1]), other.expected, str(every)]
        output = subprocess.run(words, capture_output=True, check=True, timeout=seconds + _GRACE_SECONDS).stdout
        return parse_report(json.loads(output))

    def _compile(self) -> bool:
        compiler = shutil.which("cc")
        if compiler is None:
            return False
        done = subprocess.run(
            [compiler, "-O2", "-o", str(self._program), str(_SOURCE)], capture_output=True, check=False
        )
        return done.returncode == 0


def parse_report(document: dict[str, Any]) -> Report:
    """Return what `load.c` printed."""
    return Report(
        seconds=document["seconds"],
        unanswered=document["unanswered"],
        calls=Answers(**document["calls"]),
        others=Answers(**document["others"]),
    )


def ask(port: int, request: Request, *, timeout: float = 30.0) -> bytes:
    """Return one answer; empty when there is none."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=timeout) as sock:
            return _exchange(sock, request)
    except OSError:
        return b""


def _exchange(sock: socket.socket, request: Request) -> bytes:
    sock.sendall(request.data)
    answer = b""
    while not _is_complete(answer):
        data = sock.recv(1 << 16)
        if not data:
            return b""
        answer += data
    return answer


def _is_complete(answer: bytes) -> bool:
    head, blank, body = answer.partition(b"\r\n\r\n")
    if not blank:
        return False
    length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), None)
    return len(body) >= int(length[15:]) if length is not None else body.endswith(b"0\r\n\r\n")


class _Counter:
    """Hands out requests to threads, and collects what came of them."""

    def __init__(self, request: Request, other: Request | None, every: int) -> None:
        self._kinds = (request, other or request)
        self._every = every
        self._sent = 0
        self._lock = threading.Lock()
        self._latencies: tuple[list[float], list[float]] = ([], [])
        self._bad = [0, 0]

    def work(self, port: int, until: float) -> None:
        """Ask on one connection until then."""
        while time.monotonic() < until:
            with self._lock:
                self._sent += 1
                kind = int(bool(self._every) and self._sent % self._every == 0)
            started = time.monotonic()
            good = self._kinds[kind].expected in ask(port, self._kinds[kind])
            with self._lock:
                self._latencies[kind].append((time.monotonic() - started) * _MICROSECONDS)
                self._bad[kind] += not good

    def summarize(self, kind: int) -> Answers:
        """Return what came of one kind."""
        values, bad = sorted(self._latencies[kind]), self._bad[kind]
        if not values:
            return Answers()
        p99 = values[int(len(values) * 0.99)]
        return Answers(good=len(values) - bad, bad=bad, p50=statistics.median(values), p99=p99, max=values[-1])


def _run_slowly(
    port: int, connections: int, seconds: float, request: Request, other: Request | None, every: int
) -> Report:
    counter, started = _Counter(request, other, every), time.monotonic()
    threads = [threading.Thread(target=counter.work, args=(port, started + seconds)) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Report(
        seconds=time.monotonic() - started, unanswered=0, calls=counter.summarize(0), others=counter.summarize(1)
    )
