"""Components from a web server, when it does what it should and when it does not."""

import asyncio
import pathlib
import re

import pytest

from tests.integration.sources import misbehaving
from tests.integration.sources.misbehaving import Request, Route, Server, give
from wasmoor_runtime import errors
from wasmoor_runtime.artifacts import digests
from wasmoor_runtime.contract.document import PinnedHttpSource
from wasmoor_runtime.sources import cache, pinning
from wasmoor_runtime.sources.http import HttpFetcher

pytestmark = pytest.mark.integration

PATH = "/time.wasm"
# Far longer than anything here takes; a test that reaches it fails.
PATIENCE = 20.0


@pytest.fixture
def fetcher(folder: pathlib.Path) -> HttpFetcher:
    return HttpFetcher(cache.Cache(folder))


def pin(server: Server, data: bytes, path: str = PATH, **fields: int) -> PinnedHttpSource:
    return PinnedHttpSource.model_validate(
        {"url": f"http://{server.address}{path}", "digest": digests.compute_digest(data), **fields}
    )


async def refuse(fetcher: HttpFetcher, source: PinnedHttpSource) -> errors.RuntimeFault:
    with pytest.raises(errors.RuntimeFault) as caught:
        await asyncio.wait_for(fetcher.fetch(source), PATIENCE)
    return caught.value


def in_parts(body: bytes, after: int, tag: str = '"1"') -> Route:
    """Send what is asked for, hang up `after` bytes later: a whole file takes several requests."""

    def route(request: Request) -> None:
        asked = re.match(r"bytes=([0-9]+)-", request.headers.get("Range", ""))
        begin = int(asked.group(1)) if asked else 0
        request.send_response(206 if asked else 200)
        if asked:
            request.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
        request.send_header("Content-Length", str(len(body) - begin))
        request.send_header("ETag", tag)
        request.end_headers()
        request.wfile.write(body[begin : begin + after])
        request.close_connection = True

    return route


def ranges(server: Server) -> list[str | None]:
    return [seen.headers.get("Range") for seen in server.seen]


async def test_a_file_is_fetched_once_and_then_taken_from_the_cache(
    server: Server, component_bytes: bytes, fetcher: HttpFetcher
) -> None:
    told: list[tuple[int, int]] = []
    server.routes["GET", PATH] = give(component_bytes)
    source = pin(server, component_bytes)
    blob = await fetcher.fetch(source, lambda done, total: told.append((done, total)))
    assert blob.path.read_bytes() == component_bytes
    assert (blob.digest, blob.size) == (source.digest, len(component_bytes))
    await asyncio.sleep(0)
    assert told[-1] == (len(component_bytes), len(component_bytes))
    server.seen.clear()
    assert await fetcher.fetch(source) == blob
    assert server.seen == []


async def test_a_transfer_that_is_cut_is_taken_up_where_it_stopped(
    server: Server, component_bytes: bytes, fetcher: HttpFetcher
) -> None:
    most = len(component_bytes) - 1000
    server.routes["GET", PATH] = in_parts(component_bytes, most)
    blob = await fetcher.fetch(pin(server, component_bytes))
    assert blob.path.read_bytes() == component_bytes
    assert ranges(server) == [None, f"bytes={most}-"]
    assert server.seen[1].headers["If-Range"] == '"1"'


async def test_many_cuts_end_in_the_whole_file_as_long_as_each_request_brings_something(
    server: Server, component_bytes: bytes, fetcher: HttpFetcher
) -> None:
    server.routes["GET", PATH] = in_parts(component_bytes, len(component_bytes) // 5)
    await fetcher.fetch(pin(server, component_bytes))
    assert len(server.seen) == 6


async def test_a_server_that_knows_no_ranges_sends_everything_again(
    server: Server, component_bytes: bytes, fetcher: HttpFetcher
) -> None:
    server.routes["GET", PATH] = misbehaving.first(misbehaving.cut(component_bytes, 1_000_000), give(component_bytes))
    blob = await fetcher.fetch(pin(server, component_bytes))
    assert blob.path.read_bytes() == component_bytes
    assert ranges(server) == [None, "bytes=1000000-"]


async def test_a_file_that_changed_between_two_parts_is_fetched_anew(
    server: Server, component_bytes: bytes, fetcher: HttpFetcher
) -> None:
    other = b"\1" * len(component_bytes)
    server.routes["GET", PATH] = misbehaving.first(
        in_parts(component_bytes, 2_000_000, tag="W/weak"),
        in_parts(other, len(other)),
        in_parts(component_bytes, len(other)),
    )
    blob = await fetcher.fetch(pin(server, component_bytes))
    assert blob.path.read_bytes() == component_bytes
    assert ranges(server) == [None, "bytes=2000000-", None]
    assert "If-Range" not in server.seen[1].headers


async def test_a_transfer_that_never_brings_anything_is_pull_failed_and_leaves_nothing(
    server: Server, component_bytes: bytes, fetcher: HttpFetcher, folder: pathlib.Path
) -> None:
    server.routes["GET", PATH] = misbehaving.cut(component_bytes, 0)
    fault = await refuse(fetcher, pin(server, component_bytes))
    assert (type(fault), fault.reason) == (errors.Waiting, "PullFailed")
    assert "ended the transfer too early" in fault.message
    assert len(server.seen) == 3
    assert not list((folder / "tmp").glob("*"))


@pytest.mark.parametrize("change", ["other bytes", "fewer bytes", "more bytes"])
async def test_what_has_another_hash_is_digest_mismatch_and_is_not_kept(
    server: Server, component_bytes: bytes, fetcher: HttpFetcher, folder: pathlib.Path, change: str
) -> None:
    sent = {
        "other bytes": component_bytes[:-1] + b"\x01",
        "fewer bytes": component_bytes[:-1],
        "more bytes": component_bytes + b"\0",
    }
    server.routes["GET", PATH] = give(sent[change])
    source = pin(server, component_bytes)
    fault = await refuse(fetcher, source)
    assert (type(fault), fault.reason) == (errors.Stalled, "DigestMismatch")
    assert source.digest in fault.message
    assert len(server.seen) == 1
    assert cache.list_entries(folder) == ()


async def test_a_file_without_end_is_cut_at_the_bound(
    server: Server, component_bytes: bytes, fetcher: HttpFetcher, folder: pathlib.Path
) -> None:
    server.routes["GET", PATH] = misbehaving.flood(bytes(65536))
    fault = await refuse(fetcher, pin(server, component_bytes, max_bytes=3_000_000))
    assert (type(fault), fault.reason) == (errors.Stalled, "ArtifactTooLarge")
    assert "more than 3000000 bytes, and 3000000 are allowed" in fault.message
    assert await asyncio.to_thread(server.hung_up.wait, PATIENCE)
    assert not list((folder / "tmp").glob("*"))


async def test_a_file_that_says_it_is_too_large_is_not_read(
    server: Server, component_bytes: bytes, fetcher: HttpFetcher
) -> None:
    server.routes["GET", PATH] = misbehaving.trickle_body
    fault = await refuse(fetcher, pin(server, component_bytes))
    assert fault.reason == "ArtifactTooLarge"
    assert str(1 << 40) in fault.message


async def test_a_server_that_trickles_is_given_up_at_the_deadline(
    server: Server, component_bytes: bytes, folder: pathlib.Path
) -> None:
    server.routes["GET", PATH] = misbehaving.trickle_headers
    fault = await refuse(HttpFetcher(cache.Cache(folder), timeout=0.5), pin(server, component_bytes))
    assert (type(fault), fault.reason) == (errors.Waiting, "SourceUnavailable")
    assert "no complete answer within 0.5 seconds" in fault.message
    assert await asyncio.to_thread(server.hung_up.wait, PATIENCE)


async def test_redirects_are_followed_without_telling_who_asks(
    server: Server, component_bytes: bytes, fetcher: HttpFetcher
) -> None:
    server.routes["GET", PATH] = give(b"", 302, {"Location": "/elsewhere", "Set-Cookie": "a=b"})
    server.routes["GET", "/elsewhere"] = give(component_bytes)
    await fetcher.fetch(pin(server, component_bytes))
    assert [seen.path for seen in server.seen] == [PATH, "/elsewhere"]
    assert not any({"Authorization", "Cookie"} & set(seen.headers) for seen in server.seen)


async def test_a_redirect_loop_ends(server: Server, component_bytes: bytes, fetcher: HttpFetcher) -> None:
    server.routes["GET", PATH] = give(b"", 302, {"Location": PATH})
    fault = await refuse(fetcher, pin(server, component_bytes))
    assert "redirects in circles; let its owner correct that" in fault.message
    assert len(server.seen) == 3 * 6  # five redirects, and three attempts


async def test_a_server_that_says_later_is_asked_later(
    server: Server, component_bytes: bytes, fetcher: HttpFetcher
) -> None:
    server.routes["GET", PATH] = misbehaving.first(give(b"", 429, {"Retry-After": "0"}), give(component_bytes))
    await fetcher.fetch(pin(server, component_bytes))
    assert len(server.seen) == 2


async def test_a_server_that_says_much_later_is_left_alone_until_then(
    server: Server, component_bytes: bytes, fetcher: HttpFetcher
) -> None:
    server.routes["GET", PATH] = give(b"", 429, {"Retry-After": "77"})
    fault = await refuse(fetcher, pin(server, component_bytes))
    assert isinstance(fault, errors.Waiting)
    assert (fault.reason, fault.delay) == ("SourceUnavailable", 77.0)
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("status", "reason", "told"),
    [
        (404, "ArtifactNotFound", "put it there, or correct the URL"),
        (410, "ArtifactNotFound", "put it there, or correct the URL"),
        (401, "CredentialsMissing", "allow anonymous downloads"),
        (403, "CredentialsForbidden", "access is refused"),
        (204, "PullFailed", "check that the URL names a file"),
        (400, "PullFailed", "check that the URL names a file"),
    ],
)
async def test_what_a_server_refuses_is_told(
    server: Server, component_bytes: bytes, fetcher: HttpFetcher, status: int, reason: str, told: str
) -> None:
    server.routes["GET", PATH] = give(b"", status)
    fault = await refuse(fetcher, pin(server, component_bytes, f"{PATH}?signature=secret"))
    assert (type(fault), fault.reason) == (errors.Stalled, reason)
    assert told in fault.message
    assert "secret" not in fault.message


async def test_what_is_no_component_is_told_whatever_its_hash(server: Server, fetcher: HttpFetcher) -> None:
    page = b"<html>not here</html>"
    server.routes["GET", PATH] = give(page)
    fault = await refuse(fetcher, pin(server, page))
    assert (type(fault), fault.reason) == (errors.Stalled, "NotAComponent")


async def test_a_location_on_the_command_line_is_fetched_and_then_names_its_bytes(
    server: Server, component_bytes: bytes, component: pathlib.Path, folder: pathlib.Path
) -> None:
    server.routes["GET", PATH] = give(component_bytes)
    hashed = digests.compute_digest(component_bytes)
    store = cache.Cache(folder)
    url = f"http://{server.address}{PATH}"
    unpinned = await pinning.fetch_uri(url, store)
    assert unpinned.source.digest == hashed
    assert unpinned.note.endswith(f"append #sha256={hashed[7:]}")
    server.seen.clear()
    pinned = await pinning.fetch_uri(f"{url}#sha256={hashed[7:]}", store)
    assert (pinned.source, pinned.note) == (unpinned.source, "")
    assert server.seen == []
    for location in (str(component), component.as_uri()):
        assert (await pinning.fetch_uri(location, store)).source.digest == hashed


async def test_an_unpinned_location_over_a_network_without_tls_is_refused(folder: pathlib.Path) -> None:
    with pytest.raises(errors.Stalled, match="append #sha256="):
        await pinning.fetch_uri("http://files.example/time.wasm", cache.Cache(folder))
