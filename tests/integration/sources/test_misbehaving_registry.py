"""What becomes of a pull when a registry, or the way to it, does not do what it should."""

import asyncio
import pathlib
import threading

import pytest

from tests.integration.sources import misbehaving
from tests.integration.sources.misbehaving import Artifact, Route, Server, give
from wasmoor_runtime import errors
from wasmoor_runtime.contract.document import PinnedOciSource
from wasmoor_runtime.ports import Blob
from wasmoor_runtime.registry.authentication import Credentials
from wasmoor_runtime.sources import cache, oci

pytestmark = pytest.mark.integration

# Far longer than anything here takes; a test that reaches it fails.
PATIENCE = 20.0


def pin(server: Server, artifact: Artifact, *, max_bytes: int = 64 * 1024 * 1024) -> PinnedOciSource:
    return PinnedOciSource(
        reference=f"{server.address}/{artifact.repository}:1",
        digest=artifact.layout.manifest_digest,
        max_bytes=max_bytes,
    )


async def refuse(fetcher: oci.OciFetcher, source: PinnedOciSource) -> errors.RuntimeFault:
    with pytest.raises(errors.RuntimeFault) as caught:
        await asyncio.wait_for(fetcher.fetch(source), PATIENCE)
    return caught.value


def leftovers(folder: pathlib.Path) -> list[pathlib.Path]:
    """Unfinished files."""
    return list((folder / "tmp").glob("*"))


async def wait_for_hanging_up(server: Server) -> bool:
    return await asyncio.to_thread(server.hung_up.wait, PATIENCE)


async def test_a_transfer_that_breaks_once_is_repeated(
    server: Server, artifact: Artifact, fetcher: oci.OciFetcher
) -> None:
    artifact.serve(server)
    server.routes["GET", artifact.blob_path] = misbehaving.first(
        misbehaving.cut(artifact.layer, 100_000), give(artifact.layer)
    )
    assert read(await fetcher.fetch(pin(server, artifact))) == artifact.layer


async def test_a_transfer_that_always_breaks_is_pull_failed_and_leaves_nothing(
    server: Server, artifact: Artifact, fetcher: oci.OciFetcher, folder: pathlib.Path
) -> None:
    artifact.serve(server)
    server.routes["GET", artifact.blob_path] = misbehaving.cut(artifact.layer, 100_000)
    fault = await refuse(fetcher, pin(server, artifact))
    assert (type(fault), fault.reason) == (errors.Waiting, "PullFailed")
    assert "ended the transfer too early" in fault.message
    assert leftovers(folder) == []


async def test_a_blob_that_is_too_short_is_pull_failed(
    server: Server, artifact: Artifact, fetcher: oci.OciFetcher
) -> None:
    artifact.serve(server)
    server.routes["GET", artifact.blob_path] = give(artifact.layer[:-1])
    fault = await refuse(fetcher, pin(server, artifact))
    assert (type(fault), fault.reason) == (errors.Waiting, "PullFailed")
    assert f"{len(artifact.layer) - 1} of {len(artifact.layer)} bytes" in fault.message


async def test_a_blob_with_other_bytes_is_digest_mismatch_and_is_not_kept(
    server: Server, artifact: Artifact, fetcher: oci.OciFetcher, folder: pathlib.Path
) -> None:
    artifact.serve(server)
    server.routes["GET", artifact.blob_path] = give(artifact.layer[:-1] + b"\x01")
    fault = await refuse(fetcher, pin(server, artifact))
    assert (type(fault), fault.reason) == (errors.Stalled, "DigestMismatch")
    assert cache.Cache(folder).find(artifact.layout.layer_digest) is None
    assert leftovers(folder) == []


async def test_a_blob_without_end_is_cut_at_its_declared_size(
    server: Server, artifact: Artifact, fetcher: oci.OciFetcher
) -> None:
    artifact.serve(server)
    server.routes["GET", artifact.blob_path] = misbehaving.flood(bytes(65536))
    fault = await refuse(fetcher, pin(server, artifact))
    assert fault.reason == "DigestMismatch"
    assert f"longer than the {len(artifact.layer)} bytes" in fault.message
    assert await wait_for_hanging_up(server)


async def test_a_manifest_with_other_bytes_is_digest_mismatch(
    server: Server, artifact: Artifact, fetcher: oci.OciFetcher
) -> None:
    server.routes["GET", artifact.manifest_path] = give(artifact.layout.manifest + b" ")
    fault = await refuse(fetcher, pin(server, artifact))
    assert (type(fault), fault.reason) == (errors.Stalled, "DigestMismatch")


@pytest.mark.parametrize("status", [200, 404])
async def test_a_manifest_or_an_error_without_end_fills_no_memory(
    server: Server, artifact: Artifact, fetcher: oci.OciFetcher, status: int
) -> None:
    def flood(request: misbehaving.Request) -> None:
        request.send_response(status)
        request.send_header("Connection", "close")
        request.end_headers()
        while True:
            request.wfile.write(bytes(65536))

    server.routes["GET", artifact.manifest_path] = flood
    fault = await refuse(fetcher, pin(server, artifact))
    assert fault.reason == {200: "ArtifactTooLarge", 404: "ArtifactNotFound"}[status]
    assert await wait_for_hanging_up(server)


async def test_a_component_beyond_the_bound_is_not_pulled(
    server: Server, artifact: Artifact, fetcher: oci.OciFetcher
) -> None:
    artifact.serve(server)
    fault = await refuse(fetcher, pin(server, artifact, max_bytes=1024))
    assert (type(fault), fault.reason) == (errors.Stalled, "ArtifactTooLarge")
    assert f"{len(artifact.layer)} bytes, more than the 1024 allowed" in fault.message
    assert [seen.path for seen in server.seen] == [artifact.manifest_path]


@pytest.mark.parametrize("trickle", [misbehaving.trickle_headers, misbehaving.trickle_body])
async def test_a_registry_that_trickles_for_ever_is_left_at_the_deadline(
    server: Server, artifact: Artifact, folder: pathlib.Path, trickle: Route
) -> None:
    server.routes["GET", artifact.manifest_path] = trickle
    fault = await refuse(oci.OciFetcher(cache.Cache(folder), timeout=1.0), pin(server, artifact))
    assert (type(fault), fault.reason) == (errors.Waiting, "RegistryUnavailable")
    assert "gave no complete answer within 1 seconds" in fault.message
    assert await wait_for_hanging_up(server)
    await wait_for_threads()


async def test_cancelling_a_pull_ends_its_thread_and_leaves_nothing(
    server: Server, artifact: Artifact, fetcher: oci.OciFetcher, folder: pathlib.Path
) -> None:
    artifact.serve(server)
    arrived = threading.Event()

    def trickle(request: misbehaving.Request) -> None:
        arrived.set()
        misbehaving.trickle_body(request)

    server.routes["GET", artifact.blob_path] = trickle
    task = asyncio.create_task(fetcher.fetch(pin(server, artifact)))
    assert await asyncio.to_thread(arrived.wait, PATIENCE)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await wait_for_hanging_up(server)
    await wait_for_threads()
    assert leftovers(folder) == []


async def test_a_registry_that_is_busy_once_is_asked_again(
    server: Server, artifact: Artifact, fetcher: oci.OciFetcher
) -> None:
    artifact.serve(server)
    server.routes["GET", artifact.manifest_path] = misbehaving.first(
        give(b"", 503), give(b"", 429, {"Retry-After": "0"}), give(artifact.layout.manifest)
    )
    assert read(await fetcher.fetch(pin(server, artifact))) == artifact.layer


async def test_a_registry_that_wants_two_minutes_gets_them(
    server: Server, artifact: Artifact, fetcher: oci.OciFetcher
) -> None:
    server.routes["GET", artifact.manifest_path] = give(b"", 429, {"Retry-After": "120"})
    fault = await refuse(fetcher, pin(server, artifact))
    assert isinstance(fault, errors.Waiting)
    assert (fault.reason, fault.delay) == ("RegistryUnavailable", 120.0)
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (400, errors.Stalled, "PullFailed"),
        (401, errors.Stalled, "CredentialsMissing"),
        (403, errors.Stalled, "CredentialsForbidden"),
        (404, errors.Stalled, "ArtifactNotFound"),
        (500, errors.Waiting, "RegistryUnavailable"),
        (502, errors.Waiting, "RegistryUnavailable"),
    ],
)
async def test_a_status_has_its_reason(
    server: Server,
    artifact: Artifact,
    fetcher: oci.OciFetcher,
    status: int,
    kind: type[errors.RuntimeFault],
    reason: str,
) -> None:
    body = b'{"errors": [{"code": "SOME_CODE", "message": "<script>"}]}'
    server.routes["GET", artifact.manifest_path] = give(body, status)
    fault = await refuse(fetcher, pin(server, artifact))
    assert (type(fault), fault.reason) == (kind, reason)
    assert f"{server.address} answered {status} SOME_CODE" in fault.message
    assert "script" not in fault.message


async def test_a_token_is_fetched_where_the_registry_says(
    server: Server, artifact: Artifact, fetcher: oci.OciFetcher
) -> None:
    with misbehaving.run_server() as tokens:
        tokens.routes["GET", "/token"] = give(b'{"token": "abc"}')
        protect(server, artifact, f'Bearer realm="http://{tokens.address}/token",service="s",scope="repo:x:pull"')
        assert read(await fetcher.fetch(pin(server, artifact))) == artifact.layer
        assert [seen.path for seen in tokens.seen] == ["/token?service=s&scope=repo%3Ax%3Apull"]
        assert "Authorization" not in tokens.seen[0].headers


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (403, b"", "CredentialsMissing"),
        (503, b"", "RegistryUnavailable"),
        (200, b"[]", "RegistryUnavailable"),
        (200, b'{"token": "line\\r\\nbreak"}', "RegistryUnavailable"),
    ],
)
async def test_a_token_service_that_gives_none_has_its_reason(
    server: Server, artifact: Artifact, fetcher: oci.OciFetcher, status: int, body: bytes, reason: str
) -> None:
    server.routes["GET", "/token"] = give(body, status)
    protect(server, artifact, f'Bearer realm="http://{server.address}/token"')
    assert (await refuse(fetcher, pin(server, artifact))).reason == reason


async def test_blobs_may_be_elsewhere_and_credentials_do_not_follow(
    server: Server, artifact: Artifact, folder: pathlib.Path
) -> None:
    with misbehaving.run_server() as store:
        store.routes["GET", "/blob"] = give(artifact.layer)
        artifact.serve(server)
        server.routes["GET", artifact.blob_path] = give(b"", 307, {"Location": f"http://{store.address}/blob?signed=1"})
        protect(server, artifact, 'Basic realm="r"')
        assert read(await know(folder).fetch(pin(server, artifact))) == artifact.layer
        assert any(seen.headers.get("Authorization", "").startswith("Basic ") for seen in server.seen)
        assert ["Authorization" in seen.headers for seen in store.seen] == [False]


async def test_another_host_gets_no_credentials_by_asking_for_them(
    server: Server, artifact: Artifact, folder: pathlib.Path
) -> None:
    with misbehaving.run_server() as thief:
        thief.routes["GET", "/token"] = give(b'{"token": "abc"}')
        thief.routes["GET", "/blob"] = give(
            b"", 401, {"WWW-Authenticate": f'Bearer realm="http://{thief.address}/token"'}
        )
        artifact.serve(server)
        server.routes["GET", artifact.blob_path] = give(b"", 307, {"Location": f"http://{thief.address}/blob"})
        fault = await refuse(know(folder), pin(server, artifact))
        assert fault.reason == "CredentialsForbidden"
        assert [seen.path for seen in thief.seen] == ["/blob"]
        assert "Authorization" not in thief.seen[0].headers


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
async def test_a_redirect_out_of_http_is_not_followed(
    server: Server, artifact: Artifact, fetcher: oci.OciFetcher, target: str
) -> None:
    server.routes["GET", artifact.manifest_path] = give(b"", 302, {"Location": target})
    fault = await refuse(fetcher, pin(server, artifact))
    assert (type(fault), fault.reason) == (errors.Stalled, "PullFailed")
    assert target not in fault.message


async def test_redirects_in_circles_end(server: Server, artifact: Artifact, fetcher: oci.OciFetcher) -> None:
    server.routes["GET", artifact.manifest_path] = give(b"", 302, {"Location": artifact.manifest_path})
    fault = await refuse(fetcher, pin(server, artifact))
    assert fault.reason == "RegistryUnavailable"
    assert "redirects in circles" in fault.message


async def test_cookies_are_not_kept(server: Server, artifact: Artifact, fetcher: oci.OciFetcher) -> None:
    artifact.serve(server)
    server.routes["GET", artifact.manifest_path] = give(artifact.layout.manifest, 200, {"Set-Cookie": "a=b"})
    await fetcher.fetch(pin(server, artifact))
    assert ["Cookie" in seen.headers for seen in server.seen] == [False, False]


async def test_no_url_of_a_registry_reaches_a_message(
    server: Server, artifact: Artifact, fetcher: oci.OciFetcher
) -> None:
    artifact.serve(server)
    location = f"http://user:secret@127.0.0.1:{server.server_port}/gone?signature=secret"
    server.routes["GET", artifact.blob_path] = give(b"", 302, {"Location": location})
    fault = await refuse(fetcher, pin(server, artifact))
    assert fault.reason == "ArtifactNotFound"
    assert "secret" not in fault.message


async def test_what_is_not_http_is_registry_unavailable(
    server: Server, artifact: Artifact, fetcher: oci.OciFetcher
) -> None:
    def chatter(request: misbehaving.Request) -> None:
        request.wfile.write(b"220 mail.example ESMTP\r\n\r\n")
        request.close_connection = True

    server.routes["GET", artifact.manifest_path] = chatter
    fault = await refuse(fetcher, pin(server, artifact))
    assert (type(fault), fault.reason) == (errors.Waiting, "RegistryUnavailable")


def protect(server: Server, artifact: Artifact, challenge: str) -> None:
    """Serve the artifact to those only who send any `Authorization`."""
    if ("GET", artifact.blob_path) not in server.routes:
        artifact.serve(server)
    for path in (artifact.manifest_path, artifact.blob_path):
        server.routes["GET", path] = ask_first(server.routes.get(("GET", path), misbehaving.missing), challenge)


def ask_first(route: Route, challenge: str) -> Route:
    def asking(request: misbehaving.Request) -> None:
        if "Authorization" in request.headers:
            route(request)
        else:
            request.answer(401, b"", {"WWW-Authenticate": challenge})

    return asking


def know(folder: pathlib.Path) -> oci.OciFetcher:
    return oci.OciFetcher(
        cache.Cache(folder), find_credentials=lambda _: Credentials(username="ali", password="open sesame")
    )


def read(blob: Blob) -> bytes:
    return blob.path.read_bytes()


async def wait_for_threads() -> None:
    """Assert that no operation's thread is left."""
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("registry")]
    for thread in threads:
        await asyncio.to_thread(thread.join, PATIENCE)
    assert not [thread for thread in threads if thread.is_alive()]
