"""HTTP for oras with bounds: connect and read timeouts, bounded bodies, sockets that can be shut down, safe redirects.

Threat: a registry is named by whoever writes a reference, so it may be hostile. It must not keep a thread for ever,
fill memory, learn credentials meant for another host (also not those in ~/.netrc), or lead us out of TLS.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import requests.adapters
import urllib3
import urllib3.connection
from requests.auth import AuthBase

from wasmoor_runtime.artifacts import locations
from wasmoor_runtime.artifacts.refusals import Refusal
from wasmoor_runtime.contract.status import Reason
from wasmoor_runtime.registry.aborts import Abort

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 30.0
MOST_REDIRECTS = 5
# Of every body that is not streamed: manifests and tokens. Of errors and redirects less is read, and the rest dropped.
LARGEST_BODY = 4 * 1024 * 1024
LARGEST_ERROR = 64 * 1024
CHUNK = 256 * 1024


class Session(requests.Session):
    """A session of requests that keeps to the bounds above; `close` it when done."""

    def __init__(self, abort: Abort, user_agent: str) -> None:
        super().__init__()
        self.max_redirects = MOST_REDIRECTS
        self.auth = _NoCredentials()
        # Harbor takes whoever sends its cookies back for a browser, and wants more of them.
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # Compressed answers have other digests than what was asked for, and no bound on what they unpack to.
        self.headers.update({"User-Agent": user_agent, "Accept-Encoding": "identity"})
        adapter = _Adapter(abort)
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Take credentials out of a request that a redirect leads to another origin, and cookies out of any."""
        # Along redirects requests keeps cookies in a jar of its own, which knows nothing of our policy.
        prepared_request.headers.pop("Cookie", None)
        if not locations.is_same_origin(response.url, prepared_request.url or ""):
            prepared_request.headers.pop("Authorization", None)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return where a redirect leads; refuse one that leaves TLS or HTTP."""
        target = super().get_redirect_target(resp)
        if target is not None and not locations.may_follow(resp.url, requests.compat.urljoin(resp.url, target)):
            host = requests.compat.urlsplit(resp.url).netloc
            text = f"{host} redirects to an address that is not https; let its owner correct that"
            raise Refusal(Reason.PULL_FAILED, text)
        return target


class _NoCredentials(AuthBase):
    """Its presence keeps requests from looking into ~/.netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _Adapter(requests.adapters.HTTPAdapter):
    """Sends with timeouts, over sockets that `Abort` knows, and reads bodies up to the bound."""

    def __init__(self, abort: Abort) -> None:
        self._abort = abort
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _watched_pools(self._abort)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = _watched_pools(self._abort)
        return manager

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 - requests' signature
        timeout: Any = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        self._abort.check()
        bounds = timeout or (CONNECT_TIMEOUT, READ_TIMEOUT)
        response = super().send(request, stream=True, timeout=bounds, verify=verify, cert=cert, proxies=proxies)
        if response.is_redirect or response.status_code >= HTTPStatus.BAD_REQUEST:
            _load_body(response, LARGEST_ERROR)
        elif not stream and not _load_body(response, LARGEST_BODY):
            text = f"{requests.compat.urlsplit(response.url).netloc} answered with more than {LARGEST_BODY} bytes"
            raise Refusal(Reason.ARTIFACT_TOO_LARGE, f"{text} where a manifest belongs; check that it is a registry")
        return response


def _load_body(response: requests.Response, largest: int) -> bool:
    """Read the body up to a bound, which requests knows not; return whether that was all of it."""
    body = bytearray()
    while len(body) <= largest and (chunk := response.raw.read1(CHUNK, decode_content=False)):
        body += chunk
    response._content = bytes(body[:largest])  # noqa: SLF001 - what requests itself does in Response.content
    complete = len(body) <= largest
    if complete:
        response.raw.release_conn()
    else:
        response.raw.close()
    return complete


def _watched_pools(abort: Abort) -> dict[str, type[urllib3.HTTPConnectionPool]]:
    """Return connection pools whose sockets are known to `abort` from the moment they are connected."""

    class Connection(urllib3.connection.HTTPConnection):
        def _new_conn(self) -> Any:
            connected = super()._new_conn()
            abort.watch(connected)
            return connected

    class SecureConnection(urllib3.connection.HTTPSConnection):
        def _new_conn(self) -> Any:
            connected = super()._new_conn()
            abort.watch(connected)
            return connected

    class Pool(urllib3.HTTPConnectionPool):
        ConnectionCls = Connection

    class SecurePool(urllib3.HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": Pool, "https": SecurePool}
