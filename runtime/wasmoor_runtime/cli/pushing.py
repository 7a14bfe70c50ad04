"""`wasmoor component push`: a file into a registry, with what the component says of itself beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wasmoor_runtime.artifacts.layouts import Interfaces
from wasmoor_runtime.artifacts.metadata import Metadata
from wasmoor_runtime.capabilities import catalog
from wasmoor_runtime.engine import inspector
from wasmoor_runtime.sources import push as pushes

# https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md
_ANNOTATIONS = {
    "title": "name",
    "version": "version",
    "description": "description",
    "authors": "authors",
    "licenses": "licenses",
    "source": "source",
    "url": "homepage",
    "revision": "revision",
}


async def push(path: Path, reference: str, *, insecure: bool, mirrors: Mapping[str, str]) -> pushes.PushResult:
    """Push the file; raises `Stalled` or `Waiting`."""
    found = await inspector.inspect_component(path, provided=catalog.PROVIDED)
    interfaces = Interfaces(imports=found.imports, exports=found.exports)
    return await pushes.push(
        path,
        reference,
        insecure=insecure,
        mirror_urls=mirrors,
        annotations=render_annotations(found.metadata),
        interfaces=lambda _: interfaces,
    )


def render_annotations(metadata: Metadata) -> dict[str, str]:
    """Return the OCI annotations for what the component says about itself."""
    values = {key: str(getattr(metadata, name)) for key, name in _ANNOTATIONS.items()}
    return {f"org.opencontainers.image.{key}": value for key, value in values.items() if value}
