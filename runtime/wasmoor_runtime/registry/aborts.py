"""Ending, from outside, what a thread does on the network.

Python cannot interrupt a blocked thread, and a timeout of each read does not help against a server that sends one byte
before each. So every socket is known here by a second descriptor, and shutting that down wakes whoever waits on it.
"""

from __future__ import annotations

import contextlib
import socket
import threading


class Aborted(Exception):
    """The operation was ended by whoever started it."""


class Abort:
    """One operation's switch. `set` may be called from any thread, once or often; `close` ends its life."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []

    def set(self) -> None:
        """End the operation: its waits and its reads raise, now and later."""
        self._event.set()
        with self._lock:
            for watched in self._sockets:
                with contextlib.suppress(OSError):
                    watched.shutdown(socket.SHUT_RDWR)

    def is_set(self) -> bool:
        """Return whether the operation was ended."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise `Aborted` if the operation was ended."""
        if self._event.is_set():
            raise Aborted

    def wait(self, seconds: float) -> None:
        """Pause, or raise `Aborted` as soon as the operation is ended."""
        if self._event.wait(seconds):
            raise Aborted

    def watch(self, connected: socket.socket) -> None:
        """Shut this socket down at `set`; raise `Aborted` if that has been."""
        with self._lock:
            self._sockets.append(connected.dup())
        if self._event.is_set():
            self.set()
            raise Aborted

    def close(self) -> None:
        """Give the descriptors back."""
        with self._lock:
            for watched in self._sockets:
                watched.close()
            self._sockets.clear()
