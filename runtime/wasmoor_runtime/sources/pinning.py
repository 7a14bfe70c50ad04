"""From what people write to what exactly is meant, where there is no operator: `wasmoor serve` and the commands.

`fetch_uri` is for a location on a command line, `pin` for `spec.source` of a manifest. A tag is asked for and
remembered; while its registry does not answer, the remembered answer is used and said.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from wasmoor_runtime import errors
from wasmoor_runtime.artifacts import addresses, digests, references
from wasmoor_runtime.artifacts.addresses import FileAddress, HttpAddress
from wasmoor_runtime.artifacts.refusals import Refusal
from wasmoor_runtime.contract.document import (
    MIB,
    PinnedConfigMapSource,
    PinnedFileSource,
    PinnedHttpSource,
    PinnedSource,
)
from wasmoor_runtime.contract.quantities import parse_duration
from wasmoor_runtime.contract.spec import ConfigMapSource, OciSource, SourceMember
from wasmoor_runtime.policy import contracts
from wasmoor_runtime.ports import Blob, Progress
from wasmoor_runtime.sources import faults, oci
from wasmoor_runtime.sources.cache import Cache
from wasmoor_runtime.sources.fetching import SourceFetcher
from wasmoor_runtime.sources.http import HttpFetcher
from wasmoor_runtime.sources.names import Names

_log = logging.getLogger("wasmoor.sources")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How sources are asked."""

    mirrors: Mapping[str, str] = field(default_factory=dict)
    """Registry host to the base URL that is asked instead."""
    tag_ttl: float = 0.0
    """Seconds for which what a tag named is used without asking; 0 asks every time. `refresh` of a manifest wins."""
    insecure: bool = False
    """Speak plain HTTP to registries (for `fetch_uri`; a manifest has a word of its own)."""
    max_bytes: int = 64 * MIB
    """Largest component that is fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a reference names."""

    digest: str  # of the manifest
    note: str = ""  # why this is not what the registry says now; empty when it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A component on this machine, and what it is: `source` names exactly these bytes."""

    source: PinnedSource
    blob: Blob
    note: str = ""  # for people: what was not as it should be; empty when all was


async def fetch_uri(
    location: str, cache: Cache, *, settings: Settings | None = None, progress: Progress | None = None
) -> Fetched:
    """Fetch `oci://…`, `https://…`, `http://…`, `file://…` or a bare path.

    `#sha256=<64 hex digits>` pins a URL. One on https may go without, what it gives is then named by `source`; one on
    http needs it, unless the server is on this machine.

    Raises:
        Stalled: ReferenceInvalid for what cannot be understood, or whatever else somebody must act on.
        Waiting: trying again later may help.
    """
    chosen = settings or Settings()
    try:
        address = addresses.parse_location(location)
    except ValueError as error:
        raise errors.Stalled("ReferenceInvalid", str(error)) from None
    if isinstance(address, HttpAddress):
        return await _fetch_http(address, cache, chosen, progress)
    if isinstance(address, FileAddress):
        file = PinnedFileSource(path=str(address.path.absolute()), max_bytes=chosen.max_bytes)
        blob = await SourceFetcher(cache).fetch(file, progress)
        return Fetched(source=file.model_copy(update={"digest": blob.digest}), blob=blob)
    text = str(address.reference)
    named = await resolve(text, cache, insecure=chosen.insecure, mirrors=chosen.mirrors, ttl=chosen.tag_ttl)
    pulls = contracts.PullSettings(mirrors=chosen.mirrors, max_bytes=chosen.max_bytes)
    source = contracts.pin_source(OciSource(reference=text, insecure=chosen.insecure), named.digest, pulls=pulls)
    return Fetched(source=source, blob=await SourceFetcher(cache).fetch(source, progress), note=named.note)


async def _fetch_http(address: HttpAddress, cache: Cache, settings: Settings, progress: Progress | None) -> Fetched:
    fetcher = HttpFetcher(cache)
    if address.sha256 is not None:
        source = PinnedHttpSource(url=address.url, digest=f"sha256:{address.sha256}", max_bytes=settings.max_bytes)
        return Fetched(source=source, blob=await fetcher.fetch(source, progress))
    if not address.is_protected:
        text = f"{address} comes over plain HTTP, where anybody may change it"
        raise errors.Stalled("ReferenceInvalid", f"{text}: append #sha256=<64 hex digits>, or write https://")
    blob = await fetcher.fetch_unpinned(address.url, settings.max_bytes, progress)
    source = PinnedHttpSource(url=address.url, digest=blob.digest, max_bytes=settings.max_bytes)
    pin_it = f"#sha256={blob.digest.removeprefix('sha256:')}"
    return Fetched(source=source, blob=blob, note=f"{address} is not pinned; to pin it append {pin_it}")


async def pin(
    source: SourceMember,
    cache: Cache,
    settings: Settings,
    config_maps: Mapping[str, Mapping[str, bytes]] | None = None,
) -> PinnedSource:
    """Return exactly what `spec.source` of a manifest means now.

    `config_maps` holds those of the manifest's namespace, by name. Raises `Stalled` or `Waiting`.
    """
    pulls = contracts.PullSettings(mirrors=settings.mirrors, max_bytes=settings.max_bytes)
    if isinstance(source, ConfigMapSource):
        return await asyncio.to_thread(_pin_config_map, source, cache, config_maps or {})
    if not isinstance(source, OciSource):
        return contracts.pin_source(source, contracts.file_digest(source), pulls=pulls)
    ttl = parse_duration(source.refresh) if source.refresh else settings.tag_ttl
    named = await resolve(source.reference, cache, insecure=source.insecure, mirrors=settings.mirrors, ttl=ttl)
    return contracts.pin_source(source, named.digest, pulls=pulls)


async def resolve(
    reference: str, cache: Cache, *, insecure: bool = False, mirrors: Mapping[str, str] | None = None, ttl: float = 0.0
) -> Named:
    """Return what a reference names: its own digest, a fresh remembered one, the registry's, or else an older one.

    Raises:
        Stalled: ReferenceInvalid, or whatever the registry refuses.
        Waiting: the registry does not say now, and never did before.
    """
    try:
        parsed = references.parse_reference(reference)
    except ValueError as error:
        raise errors.Stalled("ReferenceInvalid", str(error)) from None
    if parsed.digest is not None:
        return Named(digest=parsed.digest)
    names = Names(cache.root)
    known = names.recall(str(parsed))
    if known is not None and known.is_fresh(ttl):
        return Named(digest=known.digest)
    try:
        found = await oci.resolve(reference, insecure=insecure, mirror_urls=mirrors)
    except errors.Waiting as fault:
        if known is None:
            raise
        when = datetime.fromtimestamp(known.at, UTC).strftime("%Y-%m-%d %H:%M UTC")
        note = f"{fault.message}; what it named on {when} is used: {known.digest}"
        _log.warning(note, extra={"fields": {"reference": str(parsed)}})
        return Named(digest=known.digest, note=note)
    names.remember(str(parsed), found.digest)
    return Named(digest=found.digest)


def _pin_config_map(
    source: ConfigMapSource, cache: Cache, config_maps: Mapping[str, Mapping[str, bytes]]
) -> PinnedConfigMapSource:
    """Keep the bytes of a ConfigMap's manifest in the cache, where a pod would find them mounted."""
    subject = f"the key {source.key} of the ConfigMap {source.name}"
    data = config_maps.get(source.name, {}).get(source.key)
    if data is None:
        text = f"{subject} is not among the manifests; add it, with the component in binaryData"
        raise errors.Stalled("ArtifactNotFound", text)
    digest = contracts.file_digest(source) or digests.compute_digest(data)
    try:
        digests.check_bytes(data, digest, subject)
        path = cache.find(digest) or cache.write(digest, len(data), [data], lambda _: None)
    except Refusal as refusal:
        raise faults.render_fault(refusal) from refusal
    return PinnedConfigMapSource(name=source.name, key=source.key, path=str(path), digest=digest)
