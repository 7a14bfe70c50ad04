"""Documents for pushing a component, in TAG-Runtime's layout; `wkg` and other clients of that layout read them.

The same file gives the same bytes, and so the same digest: keys are sorted, and the time is the caller's. Pure.
https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from wasmoor_runtime.artifacts import digests, manifests

CONFIG_TYPE = "application/vnd.wasm.config.v0+json"
LAYER_TYPE = "application/wasm"
# Readers of the layout demand a time; this one is the same for everybody.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interfaces:
    """What a component imports and exports, as WIT names: `wasi:clocks/wall-clock@0.2.3`."""

    imports: Sequence[str] = ()
    exports: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Everything of an artifact but its layer."""

    config: bytes
    config_digest: str
    manifest: bytes
    manifest_digest: str
    layer_digest: str = field(repr=False)


def render_layout(
    layer_digest: str,
    layer_size: int,
    interfaces: Interfaces,
    *,
    annotations: Mapping[str, str],
    created: datetime = EPOCH,
) -> Layout:
    """Return config and manifest for a component with this layer."""
    config = _render_json(
        {
            "architecture": "wasm",
            "os": "wasip2",
            "created": created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "layerDigests": [layer_digest],
            "component": {"imports": sorted(interfaces.imports), "exports": sorted(interfaces.exports)},
        }
    )
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": manifests.MANIFEST_TYPE,
        "config": _describe(CONFIG_TYPE, digests.compute_digest(config), len(config)),
        "layers": [_describe(LAYER_TYPE, layer_digest, layer_size)],
    }
    if annotations:
        document["annotations"] = dict(annotations)
    manifest = _render_json(document)
    return Layout(
        config=config,
        config_digest=digests.compute_digest(config),
        manifest=manifest,
        manifest_digest=digests.compute_digest(manifest),
        layer_digest=layer_digest,
    )


def _describe(media_type: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest, "size": size}


def _render_json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
