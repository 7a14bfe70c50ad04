"""Components from web servers: by URL and hash into the cache. A transfer that breaks is taken up where it stopped.

Threat: the URL is named by whoever writes a manifest and the server may be hostile, or another one than was meant. So
nothing is sent that tells who asks, redirects are few and never leave TLS, sizes and times are bounded, an answer is
shown to nobody, and only bytes with the named hash are ever kept. That also makes resuming safe: if the file changed
between two parts, the hash of the whole is wrong.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import urllib.parse
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import requests

from wasmoor_runtime import errors
from wasmoor_runtime.artifacts import addresses, digests, preambles, references, refusals
from wasmoor_runtime.artifacts.refusals import WEB_SERVER, Refusal
from wasmoor_runtime.contract.document import PinnedHttpSource
from wasmoor_runtime.contract.status import Reason
from wasmoor_runtime.ports import Blob, Progress
from wasmoor_runtime.registry import client, failures, threads, transport
from wasmoor_runtime.registry.aborts import Abort
from wasmoor_runtime.sources import faults, progress
from wasmoor_runtime.sources.cache import Cache

# Seconds for one download, all attempts together.
TIMEOUT = 300.0
MEDIA_TYPE = "application/wasm"
# What a file that changed between two parts ends in.
_TORN = frozenset({Reason.DIGEST_MISMATCH, Reason.PULL_FAILED})
_RANGE = re.compile(r"^bytes ([0-9]+)-")


class HttpFetcher:
    """Brings pinned files to this machine (`ports.Fetcher`)."""

    def __init__(self, cache: Cache, *, timeout: float = TIMEOUT) -> None:
        self._cache = cache
        self._timeout = timeout

    async def fetch(self, source: PinnedHttpSource, told: Progress | None = None) -> Blob:
        """Return the checked bytes, from the cache if they are there.

        Raises:
            Stalled: somebody must act: the URL, the hash, the server's rights.
            Waiting: the server or the disk may serve again later.
        """
        return await self._fetch(_Wanted(url=source.url, digest=source.digest, max_bytes=source.max_bytes), told)

    async def fetch_unpinned(self, url: str, max_bytes: int, told: Progress | None = None) -> Blob:
        """Return whatever is at the URL now, for somebody who looks at it; raises as `fetch` does."""
        return await self._fetch(_Wanted(url=url, digest=None, max_bytes=max_bytes), told)

    async def _fetch(self, wanted: _Wanted, told: Progress | None) -> Blob:
        report = progress.report_from_thread(told)
        try:
            addresses.check_url(wanted.url)
        except ValueError as error:
            raise errors.Stalled(Reason.REFERENCE_INVALID, str(error)) from None

        def pull(abort: Abort) -> Blob:
            with transport.Session(abort, client.USER_AGENT) as session:
                session.trust_env = not references.is_loopback(wanted.host)
                return _Download(self._cache, session, abort, wanted, report).run()

        try:
            return await threads.run(
                pull, subject=wanted.subject, host=wanted.host, timeout=self._timeout, server=WEB_SERVER
            )
        except Refusal as refusal:
            raise faults.render_fault(refusal) from refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What is to be fetched."""

    url: str
    digest: str | None
    max_bytes: int

    @property
    def subject(self) -> str:
        """What it is called in messages."""
        return addresses.show_url(self.url)

    @property
    def host(self) -> str:
        """Host and port, for messages."""
        return urllib.parse.urlsplit(self.url).netloc


@dataclass(slots=True)
class _Transfer:
    """How far one file is."""

    done: int = 0  # bytes that arrived
    total: int = 0  # bytes in all, 0 while nobody says
    tag: str = ""  # the server's strong validator of this version of the file
    resumed: bool = False


class _Download:
    """One download, in a thread."""

    def __init__(
        self, cache: Cache, session: transport.Session, abort: Abort, wanted: _Wanted, report: Progress
    ) -> None:
        self._cache = cache
        self._session = session
        self._abort = abort
        self._wanted = wanted
        self._subject = wanted.subject
        self._host = wanted.host
        self._guard = failures.Guard(abort, wanted.subject, wanted.host, WEB_SERVER)
        self._report = report

    def run(self) -> Blob:
        known = self._cache.find(self._wanted.digest) if self._wanted.digest else None
        path = known or self._download()
        digest = f"sha256:{path.name}"
        with path.open("rb") as file:
            preambles.check_component(file.read(preambles.LENGTH), self._subject)
        size = path.stat().st_size
        return Blob(path=path, digest=digest, manifest_digest=digest, media_type=MEDIA_TYPE, size=size)

    def _download(self) -> Path:
        """Fetch the file; should the parts of a broken transfer not fit each other, once more in one piece."""
        transfer = _Transfer()
        try:
            return self._write(transfer)
        except Refusal as refusal:
            if refusal.reason not in _TORN or refusal.waiting or not transfer.resumed:
                raise
        return self._write(_Transfer())

    def _write(self, transfer: _Transfer) -> Path:
        """Keep the file in the cache, which has to make room for it, so the first answer comes before."""
        # Closed at once, whatever comes: a server that sends without end must not go on sending.
        with contextlib.closing(self._read_parts(transfer)) as parts:
            first = next(parts, b"")
            chunks = digests.check_unsized(
                itertools.chain([first], parts), self._wanted.digest, self._wanted.max_bytes, self._subject
            )
            return self._cache.write(
                self._wanted.digest, transfer.total, chunks, lambda done: self._report(done, transfer.total)
            )

    def _read_parts(self, transfer: _Transfer) -> Generator[bytes, None, None]:
        """Yield the whole file, over as many requests as it takes; those that bring nothing are few."""
        attempt = 0
        while True:
            before = transfer.done
            try:
                yield from self._read_once(transfer)
            except Refusal as refusal:
                attempt = 0 if transfer.done > before else attempt
                pause = refusals.decide_pause(refusal, attempt)
                if pause is None:
                    raise
            else:
                return
            self._abort.wait(pause)
            attempt += 1

    def _read_once(self, transfer: _Transfer) -> Iterator[bytes]:
        """Yield what one request brings of what is missing."""
        with self._ask(transfer) as response:
            skip = self._note_answer(response, transfer)
            expected = transfer.total
            for chunk in self._guard.read(response):
                useful = chunk[skip:]
                skip -= len(chunk) - len(useful)
                transfer.done += len(useful)
                if useful:
                    yield useful
        if transfer.done < expected:
            raise refusals.refuse_silence(
                self._subject, self._host, "ended the transfer too early", reason=Reason.PULL_FAILED
            )

    def _ask(self, transfer: _Transfer) -> requests.Response:
        headers = {}
        if transfer.done:
            transfer.resumed = True
            headers["Range"] = f"bytes={transfer.done}-"
            if transfer.tag:
                headers["If-Range"] = transfer.tag
        with self._guard.refusing():
            response = self._session.get(self._wanted.url, headers=headers, stream=True)
        if response.status_code < HTTPStatus.BAD_REQUEST:
            return response
        asked = response.headers.get("Retry-After", "")
        raise refusals.refuse_status(
            response.status_code,
            self._subject,
            urllib.parse.urlsplit(response.url).netloc,
            retry_after=refusals.parse_retry_after(asked, datetime.now(UTC)) if asked else None,
            server=WEB_SERVER,
        )

    def _note_answer(self, response: requests.Response, transfer: _Transfer) -> int:
        """Take note of size and version; return how many bytes of the answer are here already (RFC 9110, 14 and 15)."""
        status = response.status_code
        if status not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
            raise refusals.refuse_status(status, self._subject, self._host, server=WEB_SERVER)
        start = 0
        if status == HTTPStatus.PARTIAL_CONTENT:
            found = _RANGE.match(response.headers.get("Content-Range", ""))
            start = int(found.group(1)) if found else transfer.done + 1
        if start > transfer.done:
            text = f"{self._host} answered with another part of {self._subject} than was asked for"
            raise Refusal(Reason.PULL_FAILED, f"{text}; let its owner correct that")
        length = response.headers.get("Content-Length", "")
        transfer.total = start + int(length) if length.isdigit() else 0
        if transfer.total > self._wanted.max_bytes:
            raise digests.refuse_size(self._subject, transfer.total, self._wanted.max_bytes)
        tag = response.headers.get("ETag", "")
        transfer.tag = "" if tag.startswith("W/") else tag
        return transfer.done - start
