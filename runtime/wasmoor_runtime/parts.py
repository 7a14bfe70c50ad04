"""The real parts behind the host's ports, put together from a cache directory.

    CACHE/blobs     components, by digest        (`sources.cache`)
    CACHE/compiled  code for this machine        (`engine.compiler`)

Used by `__main__` and `cli.serve`, so that a pod and a machine without Kubernetes run the same code. It imports no
wasmtime: compiling and calling happen in processes of their own.
"""

from __future__ import annotations

from pathlib import Path

from wasmoor_runtime.capabilities import catalog
from wasmoor_runtime.engine.compiler import ProcessCompiler
from wasmoor_runtime.host.component import Parts
from wasmoor_runtime.host.validation import NoAdvisories
from wasmoor_runtime.ports import AdvisorySource
from wasmoor_runtime.sources.cache import Cache
from wasmoor_runtime.sources.fetching import SourceFetcher
from wasmoor_runtime.storage import space
from wasmoor_runtime.workers.pool import ProcessPoolStarter


def build(directory: Path, *, cache_bytes: int | None = None, advisories: AdvisorySource | None = None) -> Parts:
    """Return parts that keep what they fetch and compile under `directory`: `cache_bytes` of it at most, if given."""
    cache = Cache(directory, max_bytes=cache_bytes)
    return Parts(
        fetcher=SourceFetcher(cache),
        compiler=ProcessCompiler(directory / space.COMPILED, provided=catalog.PROVIDED, space=cache.space),
        starter=ProcessPoolStarter(),
        advisories=advisories or NoAdvisories(),
    )
