"""A component's file into a registry, in the layout that `wkg` and others read. Called by `wasmoor push` and by tests.

The same file, annotations and time give the same digest, wherever and whenever it is pushed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from wasmoor_runtime import errors
from wasmoor_runtime.artifacts import digests, layouts, locations, mirrors, preambles, references
from wasmoor_runtime.artifacts.layouts import Interfaces, Layout
from wasmoor_runtime.artifacts.locations import Location
from wasmoor_runtime.artifacts.references import Reference
from wasmoor_runtime.artifacts.refusals import Refusal
from wasmoor_runtime.contract.status import Reason
from wasmoor_runtime.registry import threads
from wasmoor_runtime.registry.aborts import Abort
from wasmoor_runtime.registry.authentication import Credentials
from wasmoor_runtime.registry.client import Client
from wasmoor_runtime.sources import faults

# Larger files are no components anybody serves; they are not read into memory.
LARGEST = 1024 * 1024 * 1024
# Seconds for one push.
TIMEOUT = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PushResult:
    """What was pushed."""

    reference: str  # pinned: what to write into a manifest for exactly this
    digest: str  # of the manifest
    layer_digest: str
    size: int  # bytes of the component


async def push(
    path: Path,
    reference: str,
    *,
    insecure: bool = False,
    mirror_urls: mirrors.Mirrors | None = None,
    annotations: Mapping[str, str] | None = None,
    interfaces: Callable[[bytes], Interfaces] | None = None,
    credentials: Credentials | None = None,
) -> PushResult:
    """Push the component under the reference's tag; `interfaces` reads imports and exports from its bytes.

    Raises:
        Stalled: the file is no component, the reference is not usable, the registry refuses.
        Waiting: the registry may take it later.
    """
    try:
        parsed = references.parse_reference(reference)
    except ValueError as error:
        raise errors.Stalled("ReferenceInvalid", str(error)) from None
    if parsed.tag is None or parsed.digest is not None:
        text = f"{reference!r} names a digest: write a tag to push to, such as {parsed.name}:1.0"
        raise errors.Stalled("ReferenceInvalid", text)
    try:
        data = await asyncio.to_thread(_read_component, path)
        found = interfaces(data) if interfaces else Interfaces()
        digest = digests.compute_digest(data)
        layout = layouts.render_layout(digest, len(data), found, annotations=annotations or {})
        location = locations.locate(parsed, insecure=insecure, mirror=mirrors.find_mirror(parsed, mirror_urls or {}))
        await _upload(parsed, location, data, layout, credentials=credentials)
    except Refusal as refusal:
        raise faults.render_fault(refusal) from refusal
    pinned = parsed.pin(layout.manifest_digest)
    return PushResult(reference=pinned, digest=layout.manifest_digest, layer_digest=digest, size=len(data))


async def _upload(
    reference: Reference,
    location: Location,
    data: bytes,
    layout: Layout,
    *,
    credentials: Credentials | None,
) -> None:
    """Push blobs first, then the manifest that names them: a reader never finds half of it."""

    def upload(abort: Abort) -> None:
        with Client(location, str(reference), abort, credentials) as client:
            client.retry(lambda: client.upload_blob(layout.layer_digest, data))
            client.retry(lambda: client.upload_blob(layout.config_digest, layout.config))
            client.retry(lambda: client.upload_manifest(reference.tag or "", layout.manifest))

    await threads.run(upload, subject=str(reference), host=location.host, timeout=TIMEOUT)


def _read_component(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        text = f"{path} cannot be read ({error.strerror}); name the .wasm file of a component"
        raise Refusal(Reason.NOT_A_COMPONENT, text) from None
    if len(data) > LARGEST:
        raise Refusal(Reason.ARTIFACT_TOO_LARGE, f"{path} has more than {LARGEST} bytes; push a component")
    preambles.check_component(data[: preambles.LENGTH], str(path))
    return data
