"""What else is found in registries, pushed there for real: it is refused by name before a byte of it is pulled."""

import json
import pathlib
from typing import Any

import pytest

from wasmoor_runtime import errors
from wasmoor_runtime.artifacts import digests, layouts, locations, manifests, references
from wasmoor_runtime.contract.document import PinnedOciSource
from wasmoor_runtime.registry import threads
from wasmoor_runtime.registry.aborts import Abort
from wasmoor_runtime.registry.client import Client
from wasmoor_runtime.sources import cache, oci, push

pytestmark = pytest.mark.integration

MODULE = b"\0asm\x01\x00\x00\x00"


async def test_a_container_image_is_not_a_component(registry: str) -> None:
    reference = f"{registry}/others/image:1"
    await push_artifact(
        reference,
        b"layer",
        layer_type="application/vnd.oci.image.layer.v1.tar+gzip",
        config_type="application/vnd.oci.image.config.v1+json",
    )
    with pytest.raises(errors.Stalled) as caught:
        await oci.resolve(reference)
    assert caught.value.reason == "NotAComponent"
    assert f"{reference} is a container image" in caught.value.message


async def test_an_index_is_not_a_component(registry: str, component: pathlib.Path) -> None:
    pushed = await push.push(component, f"{registry}/others/index:one")
    body = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": manifests.INDEX_TYPE,
            "manifests": [{"mediaType": manifests.MANIFEST_TYPE, "digest": pushed.digest, "size": 1}],
        }
    ).encode()
    await push_manifest(f"{registry}/others/index:all", body, manifests.INDEX_TYPE)
    with pytest.raises(errors.Stalled) as caught:
        await oci.resolve(f"{registry}/others/index:all")
    assert caught.value.reason == "NotAComponent"
    assert "image index of 1 manifests" in caught.value.message


async def test_a_core_module_in_a_components_place_is_found_out_when_it_is_pulled(
    registry: str, fetcher: oci.OciFetcher
) -> None:
    reference = f"{registry}/others/module:1"
    await push_artifact(reference, MODULE, layer_type="application/wasm", config_type=layouts.CONFIG_TYPE)
    resolved = await oci.resolve(reference)
    with pytest.raises(errors.Stalled) as caught:
        await fetcher.fetch(PinnedOciSource(reference=reference, digest=resolved.digest))
    assert caught.value.reason == "NotAComponent"
    assert "is a core WebAssembly module" in caught.value.message


@pytest.mark.parametrize("layer_type", sorted(manifests.COMPONENT_TYPES))
async def test_components_of_other_tools_are_pulled(
    registry: str, fetcher: oci.OciFetcher, component_bytes: bytes, layer_type: str
) -> None:
    reference = f"{registry}/others/component:1"
    await push_artifact(
        reference, component_bytes, layer_type=layer_type, config_type="application/vnd.oci.empty.v1+json"
    )
    resolved = await oci.resolve(reference)
    blob = await fetcher.fetch(PinnedOciSource(reference=reference, digest=resolved.digest))
    assert (blob.media_type, blob.size) == (layer_type, len(component_bytes))


async def test_a_policy_beside_a_component_is_named_and_not_pulled(
    registry: str, fetcher: oci.OciFetcher, component_bytes: bytes, folder: pathlib.Path
) -> None:
    reference, config, policy = f"{registry}/others/with-policy:1", b"{}", b'version: "1.0"'
    layers = [
        describe(component_bytes, "application/wasm"),
        describe(policy, "application/vnd.wasm.policy.v1+yaml"),
    ]
    body = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": manifests.MANIFEST_TYPE,
            "config": describe(config, layouts.CONFIG_TYPE),
            "layers": layers,
        }
    ).encode()
    await push_manifest(reference, body, manifests.MANIFEST_TYPE, config, component_bytes, policy)
    resolved = await oci.resolve(reference)
    blob = await fetcher.fetch(PinnedOciSource(reference=reference, digest=resolved.digest))
    assert blob.policy_digest == digests.compute_digest(policy)
    assert blob.digest == digests.compute_digest(component_bytes)
    assert blob.policy_digest not in {entry.name for entry in cache.list_entries(folder)}


async def push_artifact(reference: str, layer: bytes, *, layer_type: str, config_type: str) -> None:
    config = b"{}"
    body = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": manifests.MANIFEST_TYPE,
            "config": describe(config, config_type),
            "layers": [describe(layer, layer_type)],
        }
    ).encode()
    await push_manifest(reference, body, manifests.MANIFEST_TYPE, config, layer)


def describe(data: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digests.compute_digest(data), "size": len(data)}


async def push_manifest(reference: str, body: bytes, media_type: str, *blobs: bytes) -> None:
    parsed = references.parse_reference(reference)
    location = locations.locate(parsed)

    def upload(abort: Abort) -> None:
        with Client(location, reference, abort) as client:
            for blob in blobs:
                client.upload_blob(digests.compute_digest(blob), blob)
            client.upload_manifest(parsed.tag or "", body, media_type)

    await threads.run(upload, subject=reference, host=location.host, timeout=30)
