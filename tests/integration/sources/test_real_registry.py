"""Push, resolve and fetch against a real registry."""

import pathlib

import pytest

from tests.integration.sources import registries
from wasmoor_runtime import errors
from wasmoor_runtime.artifacts import layouts
from wasmoor_runtime.contract.document import PinnedOciSource
from wasmoor_runtime.sources import oci, push

pytestmark = pytest.mark.integration


async def test_what_was_pushed_is_resolved_and_fetched(
    registry: str, component: pathlib.Path, component_bytes: bytes, fetcher: oci.OciFetcher
) -> None:
    reference = f"{registry}/demo/clock:1"
    pushed = await push.push(component, reference, annotations={"org.opencontainers.image.title": "clock"})
    resolved = await oci.resolve(reference)
    told: list[tuple[int, int]] = []
    blob = await fetcher.fetch(
        PinnedOciSource(reference=reference, digest=resolved.digest), lambda done, size: told.append((done, size))
    )

    assert resolved.digest == pushed.digest
    assert (resolved.layer_digest, resolved.size) == (pushed.layer_digest, len(component_bytes))
    assert read(blob.path) == component_bytes
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


async def test_a_tag_that_moved_names_the_new_digest(registry: str, component: pathlib.Path) -> None:
    reference = f"{registry}/demo/moving:1"
    before = await push.push(component, reference)
    after = await push.push(component, reference, interfaces=lambda _: layouts.Interfaces(exports=["acme:clock/api"]))
    assert after.layer_digest == before.layer_digest
    assert (await oci.resolve(reference)).digest == after.digest != before.digest
    assert (await oci.resolve(before.reference)).digest == before.digest


async def test_a_tag_that_is_not_there_is_artifact_not_found(registry: str) -> None:
    with pytest.raises(errors.Stalled) as caught:
        await oci.resolve(f"{registry}/demo/nothing:1")
    assert caught.value.reason == "ArtifactNotFound"
    assert f"{registry}/demo/nothing:1 is not there" in caught.value.message


async def test_a_digest_that_is_not_there_is_artifact_not_found(registry: str, fetcher: oci.OciFetcher) -> None:
    source = PinnedOciSource(reference=f"{registry}/demo/nothing:1", digest=f"sha256:{'0' * 64}")
    with pytest.raises(errors.Stalled) as caught:
        await fetcher.fetch(source)
    assert caught.value.reason == "ArtifactNotFound"
    assert source.digest in caught.value.message


async def test_a_component_in_the_cache_starts_with_the_registry_down(
    tmp_path: pathlib.Path, component: pathlib.Path, component_bytes: bytes, fetcher: oci.OciFetcher
) -> None:
    with registries.run_registry(tmp_path) as address:
        pushed = await push.push(component, f"{address}/demo/clock:1")
        source = PinnedOciSource(reference=f"{address}/demo/clock:1", digest=pushed.digest)
        await fetcher.fetch(source)

    assert read((await fetcher.fetch(source)).path) == component_bytes
    with pytest.raises(errors.Waiting) as caught:
        await oci.resolve(source.reference)
    assert caught.value.reason == "RegistryUnavailable"
    assert "refused the connection" in caught.value.message


async def test_a_mirror_is_asked_instead_of_the_registry_of_the_reference(
    registry: str, component: pathlib.Path, fetcher: oci.OciFetcher
) -> None:
    pushed = await push.push(component, f"{registry}/demo/mirrored:1")
    mirror = f"http://{registry}"
    resolved = await oci.resolve("registry.example/demo/mirrored:1", mirror_urls={"registry.example": mirror})
    source = PinnedOciSource(reference="registry.example/demo/mirrored:1", digest=resolved.digest, mirror=mirror)
    assert (await fetcher.fetch(source)).manifest_digest == pushed.digest


async def test_only_components_are_pushed(registry: str, tmp_path: pathlib.Path) -> None:
    module = tmp_path / "module.wasm"
    write(module, b"\0asm\x01\x00\x00\x00")
    with pytest.raises(errors.Stalled) as caught:
        await push.push(module, f"{registry}/demo/module:1")
    assert caught.value.reason == "NotAComponent"
    assert "core WebAssembly module" in caught.value.message


async def test_a_push_needs_a_tag(registry: str, component: pathlib.Path) -> None:
    with pytest.raises(errors.Stalled) as caught:
        await push.push(component, f"{registry}/demo/clock@sha256:{'0' * 64}")
    assert caught.value.reason == "ReferenceInvalid"


def read(path: pathlib.Path) -> bytes:
    return path.read_bytes()


def write(path: pathlib.Path, data: bytes) -> None:
    path.write_bytes(data)
