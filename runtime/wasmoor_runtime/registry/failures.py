"""What the network did, from the exceptions of the libraries, in words for people.

`Guard` stands around whatever is asked of one server about one thing, and turns what happens there into a `Refusal`.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator

import requests
import urllib3.exceptions

from wasmoor_runtime.artifacts import refusals
from wasmoor_runtime.artifacts.refusals import Server
from wasmoor_runtime.contract.status import Reason
from wasmoor_runtime.registry import transport
from wasmoor_runtime.registry.aborts import Abort, Aborted

# Whatever sending a request or reading its answer may raise.
KINDS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError)
# Stands for what only the kind of server says.
_PLAIN = "plain"

# The first that is found in the chain of causes is what happened: type → what it did, what to do.
_CAUSES: tuple[tuple[type[BaseException], str, str], ...] = (
    (socket.gaierror, "has a name that cannot be resolved", "check the spelling and the name server"),
    (ssl.SSLCertVerificationError, "has a certificate that is not trusted here", "use one that is"),
    (ssl.SSLError, "does not speak TLS", _PLAIN),
    (ConnectionRefusedError, "refused the connection", "check its port, and that it runs"),
    (requests.TooManyRedirects, "redirects in circles", "let its owner correct that"),
    (requests.ConnectTimeout, "did not accept a connection in time", ""),
    (requests.Timeout, "did not answer in time", ""),
    (urllib3.exceptions.ReadTimeoutError, "stopped answering", ""),
    (urllib3.exceptions.IncompleteRead, "ended the transfer too early", ""),
    (OSError, "closed the connection", ""),
)


class Guard:
    """Around the requests of one operation; `host` and `subject` are how messages name the server and the thing."""

    def __init__(self, abort: Abort, subject: str, host: str, server: Server) -> None:
        self._abort = abort
        self._subject = subject
        self._host = host
        self._server = server

    @contextlib.contextmanager
    def refusing(self, reason: Reason | None = None) -> Iterator[None]:
        """Turn whatever the network does into a `Refusal`, or into `Aborted` if that was our own doing."""
        try:
            yield
        except KINDS as error:
            if self._abort.is_set():
                raise Aborted from None
            cause, advice = explain(error, self._server)
            raise refusals.refuse_silence(
                self._subject, self._host, cause, advice=advice, reason=reason, server=self._server
            ) from None

    def read(self, response: requests.Response) -> Iterator[bytes]:
        """Yield what arrives as it arrives: a server that trickles must not fill a large buffer first."""
        while True:
            self._abort.check()
            with self.refusing(Reason.PULL_FAILED):
                chunk = response.raw.read1(transport.CHUNK, decode_content=False)
            if not chunk:
                return
            yield chunk


def explain(error: BaseException, server: Server) -> tuple[str, str]:
    """Return what a server did, in the words of `it …`, and what to do about it. URLs stay out of both."""
    chain = list(_unchain(error))
    for kind, cause, advice in _CAUSES:
        if any(isinstance(link, kind) for link in chain):
            return cause, server.plain if advice is _PLAIN else advice
    return "answered with something that is not HTTP", server.strange


def _unchain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and everything that it wraps."""
    seen: set[int] = set()
    todo = [error]
    while todo:
        link = todo.pop()
        if isinstance(link, BaseException) and id(link) not in seen:
            seen.add(id(link))
            yield link
            todo += [link.__cause__, link.__context__, getattr(link, "reason", None), *link.args]
