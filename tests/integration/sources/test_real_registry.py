"""Push, resolve and fetch against a real registry."""

import pathlib

import pytest

from wasmoor_runtime import errors
from wasmoor_runtime.contract.document import PinnedOciSource
from wasmoor_runtime.sources import cache, oci, push

pytestmark = pytest.mark.integration


async def test_what_was_pushed_is_resolved_and_fetched(
    registry: str, component: pathlib.Path, blobs: cache.Cache
) -> None:
    reference = f"{registry}/demo/clock:1"
    pushed = await push.push(component, reference, annotations={"org.opencontainers.image.title": "clock"})
    resolved = await oci.resolve(reference)
    told: list[tuple[int, int]] = []
    blob = await oci.OciFetcher(blobs).fetch(
        PinnedOciSource(reference=reference, digest=resolved.digest), lambda done, size: told.append((done, size))
    )

    assert resolved.digest == pushed.digest
    assert (resolved.layer_digest, resolved.size) == (pushed.layer_digest, component.stat().st_size)
    assert blob.path.read_bytes() == component.read_bytes()
    assert (blob.digest, blob.manifest_digest) == (pushed.layer_digest, pushed.digest)
    assert blob.annotations == {"org.opencontainers.image.title": "clock"}
    assert told[-1] == (blob.size, blob.size)


async def test_the_same_file_gives_the_same_digest_wherever_it_is_pushed(
    registry: str, component: pathlib.Path
) -> None:
    first = await push.push(component, f"{registry}/demo/one:1")
    second = await push.push(component, f"{registry}/demo/two:other")
    assert first.digest == second.digest
    assert second.reference == f"{registry}/demo/two@{second.digest}"


async def test_a_tag_that_is_not_there_is_artifact_not_found(registry: str) -> None:
    with pytest.raises(errors.Stalled) as caught:
        await oci.resolve(f"{registry}/demo/nothing:1")
    assert caught.value.reason == "ArtifactNotFound"
    assert f"{registry}/demo/nothing:1 is not there" in caught.value.message
