"""The operator's door to registries: the same questions, faults of its own."""

import asyncio
import pathlib
import threading

import pytest

from tests.integration.sources import misbehaving
from wasmoor_operator import errors
from wasmoor_operator.adapters import registry as door
from wasmoor_operator.reasons import Reason
from wasmoor_runtime.registry.resolution import Resolved
from wasmoor_runtime.sources import push

pytestmark = pytest.mark.integration


async def test_a_tag_is_resolved_to_the_digest_and_the_component_behind_it(
    registry: str, component: pathlib.Path, component_bytes: bytes
) -> None:
    pushed = await push.push(component, f"{registry}/operator/clock:1")
    resolved = await door.resolve(
        "registry.example/operator/clock:1", mirrors={"registry.example": f"http://{registry}"}
    )
    assert resolved == Resolved(
        digest=pushed.digest,
        layer_digest=pushed.layer_digest,
        size=len(component_bytes),
        media_type="application/wasm",
    )


async def test_a_reference_with_a_digest_is_resolved_to_it(registry: str, component: pathlib.Path) -> None:
    pushed = await push.push(component, f"{registry}/operator/pinned:1")
    assert (await door.resolve(pushed.reference)).digest == pushed.digest


async def test_what_is_not_there_is_stalled(registry: str) -> None:
    with pytest.raises(errors.Stalled) as caught:
        await door.resolve(f"{registry}/operator/nothing:1")
    assert caught.value.reason is Reason.ARTIFACT_NOT_FOUND


async def test_what_is_no_reference_is_stalled() -> None:
    with pytest.raises(errors.Stalled) as caught:
        await door.resolve("https://registry.example/a:1")
    assert caught.value.reason is Reason.REFERENCE_INVALID


async def test_a_registry_that_says_later_is_waited_for(server: misbehaving.Server) -> None:
    server.routes["HEAD", "/v2/a/b/manifests/1"] = misbehaving.give(b"", 429, {"Retry-After": "60"})
    with pytest.raises(errors.Waiting) as caught:
        await door.resolve(f"{server.address}/a/b:1")
    assert (caught.value.reason, caught.value.delay) == (Reason.REGISTRY_UNAVAILABLE, 60.0)


async def test_a_registry_that_lies_about_a_tags_digest_is_found_out(
    server: misbehaving.Server, artifact: misbehaving.Artifact
) -> None:
    other = f"sha256:{'0' * 64}"
    server.routes["HEAD", "/v2/a/b/manifests/1"] = misbehaving.give(b"", 200, {"Docker-Content-Digest": other})
    server.routes["GET", f"/v2/a/b/manifests/{other}"] = misbehaving.give(artifact.layout.manifest)
    with pytest.raises(errors.Stalled) as caught:
        await door.resolve(f"{server.address}/a/b:1")
    assert caught.value.reason is Reason.DIGEST_MISMATCH


async def test_a_registry_that_names_no_digest_has_its_manifest_hashed(
    server: misbehaving.Server, artifact: misbehaving.Artifact
) -> None:
    server.routes["*", "/v2/a/b/manifests/1"] = misbehaving.give(artifact.layout.manifest)
    assert (await door.resolve(f"{server.address}/a/b:1")).digest == artifact.layout.manifest_digest


async def test_a_registry_that_knows_no_head_is_asked_by_get(
    server: misbehaving.Server, artifact: misbehaving.Artifact
) -> None:
    server.routes["HEAD", "/v2/a/b/manifests/1"] = misbehaving.give(b"", 405)
    server.routes["GET", "/v2/a/b/manifests/1"] = misbehaving.give(artifact.layout.manifest)
    assert (await door.resolve(f"{server.address}/a/b:1")).digest == artifact.layout.manifest_digest


async def test_cancelling_the_question_ends_its_thread(server: misbehaving.Server) -> None:
    server.routes["HEAD", "/v2/a/b/manifests/1"] = misbehaving.trickle_headers
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await door.resolve(f"{server.address}/a/b:1")
    assert await asyncio.to_thread(server.hung_up.wait, 20)
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("registry")]
    for thread in threads:
        await asyncio.to_thread(thread.join, 20)
    assert not [thread for thread in threads if thread.is_alive()]
