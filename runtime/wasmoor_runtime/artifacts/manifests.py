"""Manifests: from a registry's bytes to the one layer that is the component, or to what the artifact is instead.

One component, and beside it at most one policy. Three layer types are known for a component (TAG-Runtime's layout,
Kubewarden's and wash's older ones); the config may be anything, some registries take only types they know. Everything
here was written by whoever pushed it. Pure.
https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/
https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import pydantic
from pydantic import Field, StringConstraints

from wasmoor_runtime.artifacts.refusals import Refusal
from wasmoor_runtime.contract.status import Reason

# Larger manifests are not read; the bound that the distribution specification tells registries to support.
LARGEST_MANIFEST = 4 * 1024 * 1024

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX_TYPE = "application/vnd.docker.distribution.manifest.list.v2+json"
ACCEPT = f"{MANIFEST_TYPE}, {INDEX_TYPE}, {DOCKER_MANIFEST_TYPE}, {DOCKER_INDEX_TYPE}"

COMPONENT_TYPES = frozenset(
    {
        "application/wasm",
        "application/vnd.wasm.content.layer.v1+wasm",
        "application/vnd.module.wasm.content.layer.v1+wasm",
    }
)

# What Wassette writes beside a component, now and before.
POLICY_TYPES = frozenset({"application/vnd.wasm.policy.v1+yaml", "application/vnd.wassette.policy+yaml"})

# Start of a config's or artifact's type → what people call such a thing.
_KNOWN_KINDS = {
    "application/vnd.oci.image.config": "a container image",
    "application/vnd.docker.container.image": "a container image",
    "application/vnd.cncf.helm": "a Helm chart",
    "application/vnd.fermyon.spin": "a Spin application",
    "application/vnd.dev.cosign": "a cosign signature",
    "application/vnd.dev.sigstore": "a Sigstore bundle",
}

_Type = Annotated[str, StringConstraints(max_length=255, pattern=r"^[\x21-\x7e]*$")]
_Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


class _Foreign(pydantic.BaseModel):
    """A document of somebody else's making: what is not known here is left alone."""

    model_config = pydantic.ConfigDict(frozen=True, extra="ignore", alias_generator=pydantic.alias_generators.to_camel)


class _Descriptor(_Foreign):
    media_type: _Type
    digest: _Digest
    size: Annotated[int, Field(ge=0)]


class _Manifest(_Foreign):
    media_type: _Type = ""
    artifact_type: _Type | None = None
    config: _Descriptor | None = None
    layers: Annotated[list[_Descriptor], Field(max_length=1024)] = []
    # Only whether there are any matters, and how many.
    manifests: list[Any] | None = None
    annotations: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentArtifact:
    """What a manifest says about its component."""

    layer_digest: str
    media_type: str
    size: int  # bytes, as declared; checked while they are pulled
    config_digest: str
    config_type: str
    annotations: Mapping[str, str]
    policy_digest: str = ""  # of the policy beside the component; empty when there is none


def parse_component(body: bytes, subject: str) -> ComponentArtifact:
    """Return the component that the manifest of `subject` describes.

    Raises:
        Refusal: NotAComponent, saying what it is instead; ArtifactTooLarge for a manifest beyond the bound.
    """
    if len(body) > LARGEST_MANIFEST:
        text = f"the manifest of {subject} is larger than {LARGEST_MANIFEST} bytes; push the component alone"
        raise Refusal(Reason.ARTIFACT_TOO_LARGE, text)
    try:
        manifest = _Manifest.model_validate_json(body)
    except pydantic.ValidationError as error:
        raise _refuse(subject, f"has no OCI manifest that can be read ({_explain(error)})") from None
    if manifest.manifests is not None or manifest.media_type in {INDEX_TYPE, DOCKER_INDEX_TYPE}:
        count = len(manifest.manifests or ())
        raise _refuse(subject, f"is an image index of {count} manifests, not one; name the component's own digest")
    components = [layer for layer in manifest.layers if layer.media_type in COMPONENT_TYPES]
    policies = [layer for layer in manifest.layers if layer.media_type in POLICY_TYPES]
    others = len(manifest.layers) - len(components) - len(policies)
    if manifest.config is None or len(components) != 1 or len(policies) > 1 or others:
        raise _refuse(subject, _describe(manifest))
    layer = components[0]
    return ComponentArtifact(
        layer_digest=layer.digest,
        media_type=layer.media_type,
        size=layer.size,
        config_digest=manifest.config.digest,
        config_type=manifest.config.media_type,
        annotations=manifest.annotations or {},
        policy_digest=policies[0].digest if policies else "",
    )


def check_size(artifact: ComponentArtifact, largest: int, subject: str) -> None:
    """Raise `Refusal` with ArtifactTooLarge if the component is declared larger than `largest` bytes."""
    if artifact.size > largest:
        text = (
            f"{subject} has {artifact.size} bytes, more than the {largest} allowed; make it smaller or raise the limit"
        )
        raise Refusal(Reason.ARTIFACT_TOO_LARGE, text)


def _describe(manifest: _Manifest) -> str:
    """Say what this is, if it is not one component."""
    layers = [layer.media_type for layer in manifest.layers]
    wasm = sum(media_type in COMPONENT_TYPES for media_type in layers)
    # Beside WebAssembly an image's config says nothing: it is often used for want of a type that a registry takes.
    config = manifest.config.media_type if manifest.config and not wasm else ""
    types = [manifest.artifact_type or "", config, *layers]
    known = (name for start, name in _KNOWN_KINDS.items() if any(kind.startswith(start) for kind in types))
    kind = next(known, None)
    if kind is not None:
        return f"is {kind}, not a WebAssembly component; push the .wasm file of a component"
    if wasm:
        count = f"has {len(layers)} layers, {wasm} of them WebAssembly"
        return f"{count}; push one component, with one policy beside it at most"
    shown = ", ".join(sorted(set(layers))[:3]) or "nothing"
    return f"holds {shown}, not a WebAssembly component; push it with a layer of type application/wasm"


def _explain(error: pydantic.ValidationError) -> str:
    """Name the first place that is wrong; values stay out, they are somebody else's."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])[:100]
    return f"{place}: {first['type']}" if place else str(first["type"])


def _refuse(subject: str, what: str) -> Refusal:
    return Refusal(Reason.NOT_A_COMPONENT, f"{subject} {what}")
