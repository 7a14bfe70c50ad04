"""Components on this machine's disk, by digest: `blobs/sha256/<hex>`, manifests too, so that a registry may be down.

Content is hashed whenever it is used (18 MB take some 20 ms): a file that was cut or altered is as good as none, and
is replaced. New content is written beside and renamed, and what a process uses is marked (`storage.holds`), so several
processes may share a cache, on one machine or on a volume. `names` remembers what tags named. Blocking.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from wasmoor_runtime.artifacts import digests
from wasmoor_runtime.artifacts.refusals import Refusal
from wasmoor_runtime.contract.status import Reason
from wasmoor_runtime.storage import holds, space
from wasmoor_runtime.storage.space import Freed, Space


class Cache:
    """A directory of blobs, made when first written to; `max_bytes` bounds all of it, compiled code included."""

    def __init__(self, root: Path, *, max_bytes: int | None = None) -> None:
        self.space = Space(root, max_bytes)
        self._blobs = root / space.COMPONENTS
        self._unfinished = root / space.UNFINISHED

    @property
    def root(self) -> Path:
        """The directory."""
        return self.space.root

    def find(self, digest: str) -> Path | None:
        """Return the file that holds exactly what the digest names, now marked as used; or None."""
        path = self._path(digest)
        if not self.space.holds.take(path):
            return None
        with contextlib.suppress(OSError):
            if _hash(path) == path.name:
                return path
        self.space.holds.release(path)
        return None

    def read(self, digest: str, largest: int) -> bytes | None:
        """Return what the digest names, or None if it is not here or has more than `largest` bytes."""
        path = self._path(digest)
        if not self.space.holds.take(path):
            return None
        with contextlib.suppress(OSError), path.open("rb") as file:
            data = file.read(largest + 1)
            if len(data) <= largest and digests.compute_digest(data) == digest:
                return data
        self.space.holds.release(path)
        return None

    def write(self, digest: str | None, size: int, chunks: Iterable[bytes], progress: Callable[[int], None]) -> Path:
        """Keep the chunks as what the digest names; whoever yields them has checked that they are, at their end.

        Without a digest they are kept under their own. `size` is in bytes, or 0 when nobody knows it; room is made
        for that many.

        Raises:
            Refusal: PullFailed when the disk is full (waiting) or cannot be written.
        """
        if digest is not None:
            self._path(digest)
        self.space.make_room(size)
        with self._explaining(size):
            for folder in (self._blobs, self._unfinished):
                folder.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self._unfinished, prefix="unfinished-")
        try:
            # Whoever yields the chunks raises no OSError; closing the file may, so it belongs inside.
            with self._explaining(size):
                with os.fdopen(descriptor, "wb") as file:
                    for chunk in chunks:
                        file.write(chunk)
                        progress(file.tell())
                named = digest or f"sha256:{_hash(Path(name))}"
                return self._name(Path(name), named)
        finally:
            Path(name).unlink(missing_ok=True)

    def _name(self, unfinished: Path, digest: str) -> Path:
        """Give new content its name, or take what another process brought meanwhile: one file, known to all users."""
        path = self._path(digest)
        with self.space.exclusive():
            if self.find(digest) is None:
                # Marked before it has its name: nobody can remove it in between.
                self.space.holds.take(unfinished, known_as=path)
                unfinished.replace(path)
        return path

    def _path(self, digest: str) -> Path:
        if not digests.is_digest(digest):
            raise ValueError(f"{digest!r} is no SHA-256 digest")
        return self._blobs / digest.removeprefix("sha256:")

    @contextlib.contextmanager
    def _explaining(self, size: int) -> Iterator[None]:
        """Turn an error of the file system into a `Refusal` that names the directory and what is needed."""
        try:
            yield
        except OSError as error:
            if error.errno in space.FULL:
                # The bound was kept, but others fill the disk too: the next attempt finds what can be had.
                self.space.free(size)
                text = f"no space left in {self.root} for {f'{size} bytes' if size else 'the component'};"
                raise Refusal(Reason.PULL_FAILED, f"{text} make room there or enlarge it", waiting=True) from None
            text = f"cannot write to {self.root} ({os.strerror(error.errno or 0)}); let user {os.geteuid()} write there"
            raise Refusal(Reason.PULL_FAILED, text) from None


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file of a cache, as `wasmoor cache list` shows it."""

    kind: Literal["component", "compiled"]  # a component or its manifest; machine code
    name: str  # `sha256:<hex>` of a blob, the file name of compiled code
    size: int  # bytes
    used: datetime  # last use, UTC
    in_use: bool  # by a process that runs now
    path: Path


def list_entries(root: Path) -> tuple[Entry, ...]:
    """Return what is in the cache, the one used longest ago first; a cache that is not there is empty."""
    return tuple(_render(entry) for entry in space.list_entries(root))


def prune(root: Path, *, keep_bytes: int = 0, unused_for: float = 0.0) -> Freed:
    """Remove what no process uses and what was not used for so many seconds, until `keep_bytes` are left.

    What was used longest ago goes first. Returns how much went.
    """
    space.sweep(root)
    before = time.time() - unused_for
    entries = space.list_entries(root)
    left = sum(entry.size for entry in entries)
    count = size = 0
    for entry in entries:
        if left - size <= keep_bytes or entry.used > before:
            break
        if space.remove(entry):
            count, size = count + 1, size + entry.size
    return Freed(entries=count, size=size)


def _render(entry: space.Entry) -> Entry:
    compiled = entry.path.parent.name == space.COMPILED.name
    return Entry(
        kind="compiled" if compiled else "component",
        name=entry.path.name if compiled else f"sha256:{entry.path.name}",
        size=entry.size,
        used=datetime.fromtimestamp(entry.used, UTC),
        in_use=holds.is_held(entry.path),
        path=entry.path,
    )
