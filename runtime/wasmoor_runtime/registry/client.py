"""One repository of one registry: manifests and blobs in and out, each checked, every failure a `Refusal`.

Blocking; `threads.run` calls it. oras' own retries sleep for minutes and cannot be ended, its manifests come parsed and
its blobs unchecked, so only its single request with the authentication dance is used. Called by `resolution` and by the
runtime's `sources`.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Self, TypeVar

import oras.provider
import requests

from wasmoor_runtime.artifacts import digests, locations, manifests, references, refusals
from wasmoor_runtime.artifacts.locations import Location
from wasmoor_runtime.artifacts.refusals import Refusal
from wasmoor_runtime.contract.status import Reason
from wasmoor_runtime.registry import failures, transport
from wasmoor_runtime.registry.aborts import Abort
from wasmoor_runtime.registry.authentication import Authentication, Credentials

USER_AGENT = "wasmoor"

T = TypeVar("T")


class Client:
    """Requests to one repository, about one `subject` (how messages name it). Use as a context manager."""

    def __init__(self, location: Location, subject: str, abort: Abort, credentials: Credentials | None = None) -> None:
        self._location = location
        self._subject = subject
        self._abort = abort
        self._guard = failures.Guard(abort, subject, location.host, refusals.REGISTRY)
        self._known = credentials is not None
        self._session = transport.Session(abort, USER_AGENT)
        # A proxy would look for the loopback address on itself.
        self._session.trust_env = not references.is_loopback(location.host)
        self._oras = oras.provider.Registry(hostname=location.host, insecure=location.base.startswith("http:"))
        self._oras.session.close()
        self._oras.session = self._session
        self._oras.auth = Authentication(location.base, subject, credentials)
        self._oras.auth.session = self._session

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def retry(self, operation: Callable[[], T]) -> T:
        """Return the operation's result; when it is refused for now, pause and repeat it a few times."""
        attempt = 0
        while True:
            try:
                return operation()
            except Refusal as refusal:
                pause = refusals.decide_pause(refusal, attempt)
                if pause is None:
                    raise
            self._abort.wait(pause)
            attempt += 1

    def find_digest(self, tag: str) -> str | None:
        """Return the digest that the registry says a tag has (unchecked), or None if it does not say."""
        try:
            response = self._send("HEAD", self._location.manifest(tag), headers={"Accept": manifests.ACCEPT})
        except Refusal as refusal:
            # Some stores behind a mirror know no HEAD; whatever else is wrong, GET will say as well.
            if refusal.reason is Reason.PULL_FAILED:
                return None
            raise
        with response:
            digest = response.headers.get("Docker-Content-Digest", "")
            return digest if digests.is_digest(digest) else None

    def read_manifest(self, name: str) -> bytes:
        """Return the bytes of the manifest with this tag or digest; those of a digest are checked."""
        with self._send("GET", self._location.manifest(name), headers={"Accept": manifests.ACCEPT}) as response:
            body = bytes(response.content)
        return digests.check_bytes(body, name, self._subject) if digests.is_digest(name) else body

    def stream_blob(self, digest: str, size: int) -> Iterator[bytes]:
        """Yield a blob's bytes; they are what the digest names only if this ends without a `Refusal`."""
        with self._send("GET", self._location.blob(digest), stream=True) as response:
            yield from digests.check_stream(self._guard.read(response), digest, size, self._subject)

    def has_blob(self, digest: str) -> bool:
        """Return whether the repository has this blob."""
        try:
            self._send("HEAD", self._location.blob(digest)).close()
        except Refusal as refusal:
            if refusal.reason is Reason.ARTIFACT_NOT_FOUND:
                return False
            raise
        return True

    def upload_blob(self, digest: str, data: bytes) -> None:
        """Push a blob in one piece, unless it is there."""
        if self.has_blob(digest):
            return
        with self._send("POST", self._location.uploads()) as response:
            target = urllib.parse.urljoin(response.url, response.headers.get("Location", ""))
        if not locations.may_follow(self._location.base, target):
            raise refusals.refuse_silence(self._subject, self._location.host, "named no place for an upload")
        target += ("&" if urllib.parse.urlsplit(target).query else "?") + urllib.parse.urlencode({"digest": digest})
        self._send("PUT", target, data=data, headers={"Content-Type": "application/octet-stream"}).close()

    def upload_manifest(self, name: str, body: bytes, media_type: str = manifests.MANIFEST_TYPE) -> None:
        """Push a manifest under a tag or its digest."""
        headers = {"Content-Type": media_type}
        self._send("PUT", self._location.manifest(name), data=body, headers=headers).close()

    def _send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: bytes | None = None,
        stream: bool = False,
    ) -> requests.Response:
        """Return a response with a status below 400."""
        with self._guard.refusing():
            own = locations.is_same_origin(url, self._location.base)
            # An upload may be led to a store of its own, which is told nothing about who we are.
            send = _send_once(self._oras) if own else self._session.request
            response: requests.Response = send(
                url=url, method=method, headers=dict(headers or {}), data=data, stream=stream
            )
        if response.status_code < HTTPStatus.BAD_REQUEST:
            return response
        asked = response.headers.get("Retry-After", "")
        raise refusals.refuse_status(
            response.status_code,
            self._subject,
            self._location.host,
            code=refusals.parse_error_code(response.content),
            known=self._known,
            retry_after=refusals.parse_retry_after(asked, datetime.now(UTC)) if asked else None,
        )


def _send_once(client: Any) -> Callable[..., requests.Response]:
    """Return oras' request without its decorator, which repeats it after 3, 5, 11, 29 and 83 seconds of sleep."""
    undecorated = oras.provider.Registry.do_request.__wrapped__
    bound: Callable[..., requests.Response] = undecorated.__get__(client)
    return bound
