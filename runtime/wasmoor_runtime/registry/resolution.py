"""From a reference to the digest it names, and to the component behind that: what is asked before anything is pulled.

Called by the operator for every component, and by `wasmoor serve` in its place.
"""

from __future__ import annotations

from dataclasses import dataclass

from wasmoor_runtime.artifacts import digests, locations, manifests
from wasmoor_runtime.artifacts.references import Reference
from wasmoor_runtime.registry import threads
from wasmoor_runtime.registry.aborts import Abort
from wasmoor_runtime.registry.authentication import Credentials
from wasmoor_runtime.registry.client import Client

TIMEOUT = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What a reference names right now."""

    digest: str  # of the manifest
    layer_digest: str
    size: int  # bytes of the component, as declared
    media_type: str


async def resolve(
    reference: Reference,
    *,
    insecure: bool = False,
    mirror: str | None = None,
    credentials: Credentials | None = None,
    timeout: float = TIMEOUT,
) -> Resolved:
    """Ask the registry what the reference names; a reference with a digest is checked to be there.

    Raises:
        Refusal: it names nothing, or something else than a component, or the registry does not say.
        ValueError: the mirror is no base URL.
    """
    location = locations.locate(reference, insecure=insecure, mirror=mirror)

    def ask(abort: Abort) -> Resolved:
        with Client(location, str(reference), abort, credentials) as client:
            return client.retry(lambda: _resolve(client, reference))

    return await threads.run(ask, subject=str(reference), host=location.host, timeout=timeout)


def _resolve(client: Client, reference: Reference) -> Resolved:
    """Ask for a tag's digest, then for the manifest by that digest, so that what is read is what is named."""
    digest = reference.digest or client.find_digest(reference.tag or "")
    body = client.read_manifest(digest or reference.tag or "")
    artifact = manifests.parse_component(body, str(reference))
    return Resolved(
        digest=digests.compute_digest(body),
        layer_digest=artifact.layer_digest,
        size=artifact.size,
        media_type=artifact.media_type,
    )
