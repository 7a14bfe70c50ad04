"""Components from files: on this machine, or in a pod on a volume, which is also how a ConfigMap gets there.

What was found is copied into the cache by its digest, so that what runs is what was hashed, whatever becomes of the
file. A ConfigMap's files are links that kubelet moves to the next version in one step; one opening sees one version.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from wasmoor_runtime.artifacts import digests, preambles
from wasmoor_runtime.artifacts.refusals import Refusal
from wasmoor_runtime.contract.document import PinnedConfigMapSource, PinnedFileSource
from wasmoor_runtime.contract.status import Reason
from wasmoor_runtime.ports import Blob, Progress
from wasmoor_runtime.sources import faults, progress
from wasmoor_runtime.sources.cache import Cache

MEDIA_TYPE = "application/wasm"
_CHUNK = 1024 * 1024
# How many keys of a ConfigMap are named to somebody who wrote another one.
_MOST_NAMES = 5

PinnedFile = PinnedFileSource | PinnedConfigMapSource


class FileFetcher:
    """Brings files into the cache (`ports.Fetcher`)."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    async def fetch(self, source: PinnedFile, told: Progress | None = None) -> Blob:
        """Return the checked bytes.

        Raises:
            Stalled: there is no such file, it is no component, too large, or not what its hash names.
            Waiting: the disk is full.
        """
        report = progress.report_from_thread(told)
        try:
            return await asyncio.to_thread(_fetch, self._cache, source, report)
        except Refusal as refusal:
            raise faults.render_fault(refusal) from refusal


def _fetch(cache: Cache, source: PinnedFile, report: Progress) -> Blob:
    if source.digest is not None and (known := cache.find(source.digest)) is not None:
        path, digest = known, source.digest
    else:
        path, digest = _copy(cache, source, report)
    with path.open("rb") as file:
        preambles.check_component(file.read(preambles.LENGTH), source.subject)
    size = path.stat().st_size
    return Blob(path=path, digest=digest, manifest_digest=digest, media_type=MEDIA_TYPE, size=size)


def _copy(cache: Cache, source: PinnedFile, report: Progress) -> tuple[Path, str]:
    """Return the cache's file and its digest; the file is read twice, so that no more than a chunk is in memory."""
    with _open(source) as file:
        size = os.fstat(file.fileno()).st_size
        if size > source.max_bytes:
            raise digests.refuse_size(source.subject, size, source.max_bytes)
        preambles.check_component(file.read(preambles.LENGTH), source.subject)
        digest = source.digest or f"sha256:{_hash(file, source.subject)}"
        known = cache.find(digest)
        if known is not None:
            return known, digest
        file.seek(0)
        chunks = digests.check_unsized(_read(file, source.subject), digest, source.max_bytes, source.subject)
        return cache.write(digest, size, chunks, lambda done: report(done, size)), digest


def _open(source: PinnedFile) -> BinaryIO:
    """Return the open file; whatever is no plain file is refused before anything is read of it."""
    try:
        # Opening a pipe for reading would wait for somebody to write.
        descriptor = os.open(source.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        raise Refusal(Reason.ARTIFACT_NOT_FOUND, _explain_missing(source)) from None
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) else "no path"
        text = f"{source.subject} cannot be read ({cause}); let user {os.geteuid()} read it"
        raise Refusal(Reason.PULL_FAILED, text) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        text = f"{source.subject} is no plain file; name the .wasm file of a component"
        raise Refusal(Reason.NOT_A_COMPONENT, text)
    return os.fdopen(descriptor, "rb")


def _hash(file: BinaryIO, subject: str) -> str:
    file.seek(0)
    hasher = hashlib.sha256()
    for chunk in _read(file, subject):
        hasher.update(chunk)
    return hasher.hexdigest()


def _read(file: BinaryIO, subject: str) -> Iterator[bytes]:
    try:
        while chunk := file.read(_CHUNK):
            yield chunk
    except OSError as error:
        text = f"{subject} cannot be read ({error.strerror}); it is tried again"
        raise Refusal(Reason.PULL_FAILED, text, waiting=True) from None


def _explain_missing(source: PinnedFile) -> str:
    if isinstance(source, PinnedFileSource):
        text = f"there is no file {source.path}; put it there"
        return f"{text}, in a cluster by a volume in spec.podTemplate that is mounted into the container runtime"
    names: list[str] = []
    with suppress(OSError):
        names = sorted(entry.name for entry in Path(source.path).parent.iterdir() if not entry.name.startswith(".."))
    if not names:
        return f"the ConfigMap {source.name} is not there, or is empty; create it with the key {source.key}"
    shown = ", ".join(names[:_MOST_NAMES]) + (", …" if len(names) > _MOST_NAMES else "")
    return f"the ConfigMap {source.name} has no key {source.key}, but {shown}; correct spec.source.configMap.key"
