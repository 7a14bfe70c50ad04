"""Sends lifecycle events to an HTTP endpoint as CloudEvents, from a thread of its own.

A call never waits for it: what is heard goes into a bounded queue, and what does not fit is counted and forgotten. An
event that cannot be delivered is tried again with growing delays; one that is refused for what it is, is not. Order is
kept. After a lost answer an event comes again with the same `id`: at least once, as the binding has it.

Threat: the URL may hold a secret (a path or a query of a hook); only its host is ever written anywhere.
"""

from __future__ import annotations

import http.client
import logging
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from wasmoor_runtime import events
from wasmoor_runtime.telemetry import cloudevents

QUEUE_EVENTS = 10_000
CAUSES = ("full", "refused", "unreachable", "stopped")
_ATTEMPTS = 6
_FIRST_DELAY = 0.25  # seconds; doubles: 0.25, 0.5, 1, 2, 4
_LONGEST_DELAY = 30.0
_REQUEST_SECONDS = 5.0
_LONGEST_ANSWER = 64 * 1024
_TRY_AGAIN = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})

_log = logging.getLogger(__name__)


class UnusableUrl(ValueError):
    """Not an address that events can be sent to."""


@dataclass(frozen=True, slots=True)
class _Item:
    document: dict[str, Any]
    number: int
    seconds: float


class Sink:
    """A listener that sends what it hears."""

    kinds: events.Kinds = events.LIFECYCLE_KINDS

    def __init__(self, url: str, *, log_arguments: bool = False, capacity: int = QUEUE_EVENTS) -> None:
        """Take an `http(s)://` URL; raises `UnusableUrl`."""
        self._connect, self._path, self._name = parse_url(url)
        self._log_arguments = log_arguments
        self._capacity = capacity
        self._queue: deque[_Item] = deque()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._give_up_at = float("inf")
        self._process = uuid.uuid4().hex
        self._numbered = 0
        self._connection: http.client.HTTPConnection | None = None
        self.sent = 0
        self.dropped: Counter[str] = Counter()
        """Events that were not delivered, by one of `CAUSES`."""
        self._thread = threading.Thread(target=self._run, name="wasmoor-events", daemon=True)
        self._thread.start()

    @property
    def queued(self) -> int:
        """How many events wait."""
        return len(self._queue)

    def hear(self, event: events.Event) -> None:
        """Queue an event, or count that there was no room."""
        if isinstance(event, events.Moved | events.Pulled):
            return
        if len(self._queue) >= self._capacity:
            self.dropped["full"] += 1
            return
        self._numbered += 1
        document = cloudevents.describe(event, arguments=self._log_arguments)
        self._queue.append(_Item(document, self._numbered, time.time()))
        if not self._wake.is_set():
            self._wake.set()

    def close(self, grace: float) -> None:
        """Send what is queued for at most `grace` seconds, then end. To be called outside the event loop."""
        self._give_up_at = time.monotonic() + grace
        self._stopping.set()
        self._wake.set()
        self._thread.join(grace + _REQUEST_SECONDS)
        if self._queue:
            self.dropped["stopped"] += len(self._queue)
            self._queue.clear()

    def _run(self) -> None:
        while not (self._stopping.is_set() and (not self._queue or time.monotonic() > self._give_up_at)):
            if not self._queue:
                self._wake.wait()
                self._wake.clear()
                continue
            self._deliver(self._queue[0])
            # Only this thread takes: what it has delivered is still the first.
            self._queue.popleft()
        self._hang_up()

    def _deliver(self, item: _Item) -> None:
        body = cloudevents.render(item.document, f"{self._process}-{item.number}", item.seconds)
        cause = "unreachable"
        for attempt in range(_ATTEMPTS):
            status, wanted = self._post(body)
            if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
                self.sent += 1
                return
            if 0 < status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _TRY_AGAIN:
                cause = "refused"
                break
            delay = min(max(_FIRST_DELAY * 2**attempt, wanted), _LONGEST_DELAY)
            remaining = self._give_up_at - time.monotonic()
            if attempt + 1 == _ATTEMPTS or remaining < delay:
                break
            if self._stopping.is_set():
                time.sleep(delay)
            else:
                self._stopping.wait(delay)
        if not self.dropped[cause]:
            _log.warning("an event could not be delivered to %s: %s (HTTP %d); counted from now on",
                         self._name, cause, status)  # fmt: skip
        self.dropped[cause] += 1

    def _post(self, body: bytes) -> tuple[int, float]:
        """Return the status, 0 without an answer, and for how many seconds the other side wants to be left alone."""
        try:
            if self._connection is None:
                self._connection = self._connect()
            self._connection.request("POST", self._path, body, {"content-type": cloudevents.CONTENT_TYPE})
            answer = self._connection.getresponse()
            if len(answer.read(_LONGEST_ANSWER)) == _LONGEST_ANSWER or answer.will_close:
                self._hang_up()
        except (OSError, http.client.HTTPException):
            self._hang_up()
            return 0, 0.0
        wanted = answer.headers.get("retry-after", "")
        return answer.status, float(wanted) if wanted.isdigit() else 0.0

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def parse_url(url: str) -> tuple[Callable[[], http.client.HTTPConnection], str, str]:
    """Return how to connect, what to ask for, and what to call it in messages; raises `UnusableUrl`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UnusableUrl(f"the events' URL cannot be read: {error}") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise UnusableUrl("the events' URL must begin with http:// or https:// and name a host")
    if parts.username is not None or parts.password is not None:
        raise UnusableUrl("the events' URL must not hold a password")
    path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return lambda: kind(host, port, timeout=_REQUEST_SECONDS), path, parts.netloc
