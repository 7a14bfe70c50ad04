"""What tags named, where there is no operator: a registry may be down, or spared."""

import pathlib

import pytest

from tests.integration.sources.misbehaving import Artifact, Server, give
from wasmoor_runtime import errors
from wasmoor_runtime.artifacts import digests
from wasmoor_runtime.contract.document import PinnedConfigMapSource
from wasmoor_runtime.contract.spec import ConfigMapSource, OciSource
from wasmoor_runtime.sources import cache, pinning

pytestmark = pytest.mark.integration


def serve_tag(server: Server, artifact: Artifact) -> str:
    artifact.serve(server)
    digest = artifact.layout.manifest_digest
    tag = f"/v2/{artifact.repository}/manifests/1"
    server.routes["HEAD", tag] = give(b"", headers={"Docker-Content-Digest": digest})
    return f"{server.address}/{artifact.repository}:1"


async def test_a_tag_is_asked_for_every_time_unless_an_answer_may_be_kept(
    server: Server, artifact: Artifact, folder: pathlib.Path
) -> None:
    reference, store = serve_tag(server, artifact), cache.Cache(folder)
    first = await pinning.resolve(reference, store)
    asked = len(server.seen)
    assert await pinning.resolve(reference, store, ttl=60) == first
    assert len(server.seen) == asked
    assert await pinning.resolve(reference, store) == first
    assert len(server.seen) == 2 * asked


async def test_refresh_of_a_manifest_says_how_long_an_answer_holds(
    server: Server, artifact: Artifact, folder: pathlib.Path
) -> None:
    reference, store, settings = serve_tag(server, artifact), cache.Cache(folder), pinning.Settings()
    source = OciSource(reference=reference, refresh="10m")
    pinned = await pinning.pin(source, store, settings)
    server.seen.clear()
    assert await pinning.pin(source, store, settings) == pinned
    assert server.seen == []
    await pinning.pin(OciSource(reference=reference), store, settings)
    assert server.seen != []


async def test_while_a_registry_is_down_what_it_said_last_is_used_and_said(
    server: Server, artifact: Artifact, folder: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    reference, store = serve_tag(server, artifact), cache.Cache(folder)
    before = await pinning.fetch_uri(f"oci://{reference}", store)
    server.routes.clear()
    server.routes["HEAD", f"/v2/{artifact.repository}/manifests/1"] = give(b"", 503)
    server.routes["GET", f"/v2/{artifact.repository}/manifests/1"] = give(b"", 503)
    after = await pinning.fetch_uri(f"oci://{reference}", store)
    assert (after.source, after.blob) == (before.source, before.blob)
    assert "answered 503" in after.note
    assert f"is used: {artifact.layout.manifest_digest}" in after.note
    assert after.note in caplog.messages


async def test_a_tag_that_is_gone_is_not_served_from_memory(
    server: Server, artifact: Artifact, folder: pathlib.Path
) -> None:
    reference, store = serve_tag(server, artifact), cache.Cache(folder)
    await pinning.resolve(reference, store)
    server.routes.clear()
    with pytest.raises(errors.Stalled) as caught:
        await pinning.resolve(reference, store)
    assert caught.value.reason == "ArtifactNotFound"


async def test_a_registry_that_never_answered_is_waited_for(server: Server, folder: pathlib.Path) -> None:
    server.routes["*", "/v2/demo/clock/manifests/1"] = give(b"", 503)
    with pytest.raises(errors.Waiting):
        await pinning.resolve(f"{server.address}/demo/clock:1", cache.Cache(folder))


async def test_a_reference_with_a_digest_asks_nobody(server: Server, folder: pathlib.Path) -> None:
    digest = "sha256:" + "a" * 64
    named = await pinning.resolve(f"{server.address}/demo/clock:1@{digest}", cache.Cache(folder))
    assert (named.digest, server.seen) == (digest, [])


async def test_a_config_map_among_the_manifests_is_kept_like_a_pull(
    component_bytes: bytes, folder: pathlib.Path
) -> None:
    store, settings = cache.Cache(folder), pinning.Settings()
    source = ConfigMapSource(name="time", key="a.wasm")
    pinned = await pinning.pin(source, store, settings, {"time": {"a.wasm": component_bytes}})
    digest = digests.compute_digest(component_bytes)
    assert pinned == PinnedConfigMapSource(name="time", key="a.wasm", path=str(store.find(digest)), digest=digest)
    with pytest.raises(errors.Stalled, match="is not among the manifests; add it"):
        await pinning.pin(source, store, settings, {"time": {}})
    wrong = source.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(errors.Stalled, match="instead of sha256:0000"):
        await pinning.pin(wrong, store, settings, {"time": {"a.wasm": component_bytes}})
