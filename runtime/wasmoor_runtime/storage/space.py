"""How much a cache directory holds, and what goes first: least recently used, and never what a process uses.

A file's modification time says when it was used last (`holds.touch`); access times are often switched off. Files in use
may exceed the bound: a component that is being served is not thrown away for being large. Several processes may make
room at the same time: what another one removed counts as removed.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from wasmoor_runtime.storage import holds

# Folders of entries; everything else (`tmp`, `names`) is small or short-lived.
COMPONENTS = Path("blobs") / "sha256"
COMPILED = Path("compiled")
UNFINISHED = Path("tmp")
_LOCK = ".lock"
# Beside `x.cwasm` stands its checksum: one entry.
CHECKSUM = ".sha256"
PARTIAL = ".part"
# Unfinished files that nobody has written to for so many seconds were left by a process that died.
ABANDONED = 3600.0
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file that can be removed and had again."""

    path: Path
    size: int  # bytes, its checksum's included
    used: float  # seconds since the epoch
    companions: tuple[Path, ...] = field(default=())  # removed with it


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """What was removed."""

    entries: int = 0
    size: int = 0  # bytes


class Space:
    """One cache directory, and its bound in bytes (none: as much as there is)."""

    def __init__(self, root: Path, limit: int | None = None) -> None:
        self.root = root
        self.limit = limit
        self.holds = holds.Holds()

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Be the only process that gives files their names here, for a moment.

        Two processes that made the same file would otherwise replace each other's, and what one of them marks as used
        would no longer be what the name leads to. Raises `OSError`.
        """
        with (self.root / _LOCK).open("ab") as file:
            with contextlib.suppress(OSError):  # a file system without locks: nothing is shared there
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def make_room(self, needed: int = 0) -> Freed:
        """Remove what was used longest ago until `needed` more bytes keep within the bound."""
        sweep(self.root)
        if self.limit is None:
            return Freed()
        entries = list_entries(self.root)
        return _remove(entries, sum(entry.size for entry in entries) + needed - self.limit)

    def free(self, size: int) -> Freed:
        """Remove at least so many bytes of what nobody uses, as far as there are any: the disk itself is full."""
        sweep(self.root, older_than=ABANDONED)
        return _remove(list_entries(self.root), size)


def list_entries(root: Path) -> list[Entry]:
    """Return every entry, the one used longest ago first; files that go meanwhile are left out."""
    found = [*_list_folder(root / COMPONENTS), *_list_folder(root / COMPILED)]
    return sorted(found, key=lambda entry: (entry.used, str(entry.path)))


def remove(entry: Entry) -> bool:
    """Remove one entry unless a process uses it; return whether it is gone."""
    if not holds.remove_unused(entry.path):
        return False
    for companion in entry.companions:
        with contextlib.suppress(OSError):
            companion.unlink()
    return True


def sweep(root: Path, older_than: float = ABANDONED) -> None:
    """Remove what processes that died left unfinished, `older_than` seconds after they last wrote to it."""
    before = time.time() - older_than
    for path in (*_iterate(root / UNFINISHED), *_iterate(root / COMPILED)):
        if path.parent.name == COMPILED.name and path.suffix != PARTIAL:
            continue
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < before:
                path.unlink()


def _remove(entries: list[Entry], excess: int) -> Freed:
    count = size = 0
    for entry in entries:
        if size >= excess:
            break
        if remove(entry):
            count, size = count + 1, size + entry.size
    return Freed(entries=count, size=size)


def _list_folder(folder: Path) -> Iterator[Entry]:
    files = set(_iterate(folder))
    for path in files:
        if path.suffix in {CHECKSUM, PARTIAL}:
            continue
        companions = tuple({path.with_suffix(CHECKSUM)} & files)
        with contextlib.suppress(OSError):
            stat = path.stat()
            size = stat.st_size + sum(companion.stat().st_size for companion in companions)
            yield Entry(path=path, size=size, used=stat.st_mtime, companions=companions)


def _iterate(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from folder.iterdir()
