"""One fetcher for every kind of source: the contract says which, and the rest of the runtime need not know."""

from __future__ import annotations

from wasmoor_runtime.contract.document import PinnedHttpSource, PinnedOciSource, PinnedSource
from wasmoor_runtime.ports import Blob, Progress
from wasmoor_runtime.sources.cache import Cache
from wasmoor_runtime.sources.files import FileFetcher
from wasmoor_runtime.sources.http import HttpFetcher
from wasmoor_runtime.sources.oci import OciFetcher


class SourceFetcher:
    """Brings whatever a contract names to this machine (`ports.Fetcher`)."""

    def __init__(self, cache: Cache) -> None:
        self._oci = OciFetcher(cache)
        self._http = HttpFetcher(cache)
        self._files = FileFetcher(cache)

    async def fetch(self, source: PinnedSource, progress: Progress | None = None, /) -> Blob:
        """Return the checked bytes, from the cache if they are there. Raises `Stalled` or `Waiting`."""
        if isinstance(source, PinnedOciSource):
            return await self._oci.fetch(source, progress)
        if isinstance(source, PinnedHttpSource):
            return await self._http.fetch(source, progress)
        return await self._files.fetch(source, progress)
