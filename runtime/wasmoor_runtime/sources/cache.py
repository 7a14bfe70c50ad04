"""Blobs on this machine's disk, by digest: `blobs/sha256/<hex>`, manifests too, so that a registry may be down.

Content is hashed whenever it is used (18 MB take some 20 ms): a file that was cut or altered is as good as none, and
is replaced. New content is written beside and renamed, so several processes may share a cache. Blocking.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from wasmoor_runtime.artifacts import digests
from wasmoor_runtime.artifacts.refusals import Refusal
from wasmoor_runtime.contract.status import Reason

# Unfinished files older than this were left by a process that was killed, in seconds.
_ABANDONED = 24 * 3600.0
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Cache:
    """A folder of blobs. Made when first written to."""

    def __init__(self, root: Path) -> None:
        self._blobs = root / "blobs" / "sha256"
        self._unfinished = root / "tmp"

    def find(self, digest: str) -> Path | None:
        """Return the file that holds exactly what the digest names, or None."""
        path = self._path(digest)
        try:
            with path.open("rb") as file:
                actual = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return None
        return path if f"sha256:{actual}" == digest else None

    def read(self, digest: str, largest: int) -> bytes | None:
        """Return what the digest names, or None if it is not here or has more than `largest` bytes."""
        try:
            with self._path(digest).open("rb") as file:
                data = file.read(largest + 1)
        except OSError:
            return None
        return data if len(data) <= largest and digests.compute_digest(data) == digest else None

    def write(self, digest: str, size: int, chunks: Iterable[bytes], progress: Callable[[int], None]) -> Path:
        """Keep the chunks as what the digest names; whoever yields them has checked that they are, at their end.

        Raises:
            Refusal: PullFailed when the disk is full (waiting) or cannot be written.
        """
        path = self._path(digest)
        with self._explaining(size):
            for folder in (self._blobs, self._unfinished):
                folder.mkdir(parents=True, exist_ok=True)
            self._sweep()
            descriptor, name = tempfile.mkstemp(dir=self._unfinished, prefix=f"{path.name[:12]}-")
        try:
            # Whoever yields the chunks raises no OSError; closing the file may, so it belongs inside.
            with self._explaining(size):
                with os.fdopen(descriptor, "wb") as file:
                    for chunk in chunks:
                        file.write(chunk)
                        progress(file.tell())
                Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return path

    def _path(self, digest: str) -> Path:
        if not digests.is_digest(digest):
            raise ValueError(f"{digest!r} is no SHA-256 digest")
        return self._blobs / digest.removeprefix("sha256:")

    def _sweep(self) -> None:
        """Remove what killed processes left."""
        with contextlib.suppress(OSError):
            for path in self._unfinished.iterdir():
                if path.stat().st_mtime < time.time() - _ABANDONED:
                    path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _explaining(self, size: int) -> Iterator[None]:
        """Turn an error of the file system into a `Refusal` that names the folder and what is needed."""
        try:
            yield
        except OSError as error:
            root = self._blobs.parent.parent
            if error.errno in _FULL:
                text = f"no space left in {root} for {size} bytes; make room there or enlarge it"
                raise Refusal(Reason.PULL_FAILED, text, waiting=True) from None
            text = f"cannot write to {root} ({os.strerror(error.errno or 0)}); let this process write there"
            raise Refusal(Reason.PULL_FAILED, text) from None
