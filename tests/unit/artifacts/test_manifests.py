import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasmoor_runtime.artifacts import digests, layouts, manifests
from wasmoor_runtime.artifacts.refusals import Refusal
from wasmoor_runtime.contract.status import Reason

DIGEST = f"sha256:{'a' * 64}"
OTHER = f"sha256:{'b' * 64}"
IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"


def describe(media_type: str, size: int = 8, digest: str = DIGEST) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest, "size": size}


def write_manifest(*layers: dict[str, Any], config: str = layouts.CONFIG_TYPE, **more: Any) -> bytes:
    document = {"schemaVersion": 2, "config": describe(config, digest=OTHER), "layers": list(layers), **more}
    return json.dumps(document).encode()


def refuse(body: bytes) -> Refusal:
    with pytest.raises(Refusal) as caught:
        manifests.parse_component(body, "demo/clock:1")
    return caught.value


@pytest.mark.parametrize("media_type", sorted(manifests.COMPONENT_TYPES))
@pytest.mark.parametrize("config", [layouts.CONFIG_TYPE, "application/vnd.oci.empty.v1+json", IMAGE_CONFIG])
def test_each_known_layer_type_is_a_component_whatever_the_config(media_type: str, config: str) -> None:
    body = write_manifest(describe(media_type, 42), config=config, annotations={"k": "v"})
    assert manifests.parse_component(body, "x") == manifests.ComponentArtifact(
        layer_digest=DIGEST,
        media_type=media_type,
        size=42,
        config_digest=OTHER,
        config_type=config,
        annotations={"k": "v"},
    )


@pytest.mark.parametrize("policy_type", sorted(manifests.POLICY_TYPES))
@pytest.mark.parametrize("policy_first", [False, True])
def test_a_policy_beside_the_component_is_known_by_its_digest(policy_type: str, *, policy_first: bool) -> None:
    layers = [describe("application/wasm", 42), describe(policy_type, digest=OTHER)]
    artifact = manifests.parse_component(write_manifest(*(reversed(layers) if policy_first else layers)), "x")
    assert (artifact.layer_digest, artifact.size, artifact.policy_digest) == (DIGEST, 42, OTHER)


def test_two_policies_are_one_too_many() -> None:
    policy = describe("application/vnd.wasm.policy.v1+yaml")
    refusal = refuse(write_manifest(describe("application/wasm"), policy, policy))
    assert "has 3 layers, 1 of them WebAssembly; push one component, with one policy beside it at most" in str(refusal)


def test_a_policy_alone_is_no_component() -> None:
    refusal = refuse(write_manifest(describe("application/vnd.wasm.policy.v1+yaml")))
    assert refusal.reason is Reason.NOT_A_COMPONENT


def test_what_is_pushed_is_read_again() -> None:
    layout = layouts.render_layout(DIGEST, 8, layouts.Interfaces(), annotations={"title": "Zürich"})
    artifact = manifests.parse_component(layout.manifest, "x")
    assert (artifact.layer_digest, artifact.size) == (DIGEST, 8)
    assert artifact.config_digest == digests.compute_digest(layout.config)
    assert artifact.annotations == {"title": "Zürich"}


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (
            write_manifest(describe("application/vnd.oci.image.layer.v1.tar+gzip"), config=IMAGE_CONFIG),
            "container image",
        ),
        (
            write_manifest(
                describe("application/vnd.docker.image.rootfs.diff.tar.gzip"),
                config="application/vnd.docker.container.image.v1+json",
            ),
            "is a container image",
        ),
        (
            write_manifest(
                describe("application/vnd.cncf.helm.chart.content.v1.tar+gzip"),
                config="application/vnd.cncf.helm.config.v1+json",
            ),
            "is a Helm chart",
        ),
        (
            write_manifest(
                describe("application/vnd.wasm.content.layer.v1+wasm"),
                describe("application/vnd.fermyon.spin.application.v1+config"),
                config=IMAGE_CONFIG,
            ),
            "Spin application",
        ),
        (
            write_manifest(describe("application/vnd.dev.cosign.simplesigning.v1+json")),
            "is a cosign signature",
        ),
        (write_manifest(describe("application/json")), "holds application/json"),
        (write_manifest(), "holds nothing"),
        (write_manifest(describe("application/wasm"), describe("application/wasm")), "has 2 layers, 2 of them"),
        (write_manifest(describe("application/wasm"), describe("text/plain")), "has 2 layers, 1 of them"),
        (
            write_manifest(describe("application/wasm"), describe("text/plain"), config=IMAGE_CONFIG),
            "has 2 layers, 1 of them",
        ),
        (json.dumps({"mediaType": manifests.INDEX_TYPE, "manifests": [{}, {}]}).encode(), "index of 2 manifests"),
        (json.dumps({"mediaType": manifests.INDEX_TYPE}).encode(), "index of 0 manifests"),
        (json.dumps({"schemaVersion": 1, "fsLayers": []}).encode(), "holds nothing"),
        (b"<html>", "no OCI manifest"),
        (b"[]", "no OCI manifest"),
        (b"", "no OCI manifest"),
        (b"[" * 1_000_000, "no OCI manifest"),
        (b'{"layers": "x"}', "layers"),
        (write_manifest(describe("application/wasm", size=-1)), "layers.0.size"),
        (write_manifest(describe("application/wasm", digest="sha512:00")), "layers.0.digest"),
    ],
)
def test_what_is_no_component_is_called_by_its_name(body: bytes, what: str) -> None:
    refusal = refuse(body)
    assert refusal.reason is Reason.NOT_A_COMPONENT
    assert refusal.delay is None
    assert what in refusal.message
    assert refusal.message.startswith("demo/clock:1 ")


def test_a_manifest_beyond_the_bound_is_not_parsed() -> None:
    assert refuse(b" " * (manifests.LARGEST_MANIFEST + 1)).reason is Reason.ARTIFACT_TOO_LARGE


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["layers", "config", "manifests", "mediaType", "size"]), inner, max_size=3
            )
        ),
        max_leaves=10,
    ).map(lambda document: json.dumps(document).encode())
)
def test_any_bytes_are_refused_and_nothing_else(body: bytes) -> None:
    assert refuse(body).reason is Reason.NOT_A_COMPONENT


def test_values_of_a_manifest_do_not_reach_the_message() -> None:
    assert "secret" not in refuse(b'{"layers": "secret"}').message


def test_a_component_is_checked_against_its_bound() -> None:
    artifact = manifests.parse_component(write_manifest(describe("application/wasm", 100)), "x")
    manifests.check_size(artifact, 100, "x")
    with pytest.raises(Refusal) as caught:
        manifests.check_size(artifact, 99, "demo/clock:1")
    assert caught.value.reason is Reason.ARTIFACT_TOO_LARGE
