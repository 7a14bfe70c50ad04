"""Components in a real registry."""

from __future__ import annotations

import asyncio
import pathlib

from wasmoor_runtime.sources import push

# An empty component: preamble only.
EMPTY_COMPONENT = b"\0asm\x0d\x00\x01\x00"


def push_component(folder: pathlib.Path, reference: str, *, note: str = "") -> str:
    """Push a component and return the manifest's digest; another note makes another digest."""
    file = folder / "component.wasm"
    file.write_bytes(EMPTY_COMPONENT)
    annotations = {"org.opencontainers.image.description": note}
    return asyncio.run(push.push(file, reference, insecure=True, annotations=annotations)).digest


def source(reference: str, **more: object) -> dict[str, object]:
    return {"oci": {"reference": reference, **more}}
