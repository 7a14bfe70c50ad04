"""Marks on files that a process uses, which other processes see: shared locks (flock), held for as long as they matter.

Whoever removes files takes an exclusive lock first and leaves alone what it does not get. The kernel drops the locks of
a process that dies. Locks follow the file, not its name, so a file may be locked before it is renamed into place. On
NFS the same calls work between machines (Linux maps them to byte-range locks).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from pathlib import Path


class Holds:
    """The files that one process uses; given back when this object goes, or the process ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[Path, int] = {}

    def __del__(self) -> None:
        for descriptor in self._held.values():
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def take(self, path: Path, *, known_as: Path | None = None) -> bool:
        """Mark the file as used, now for the last time; return False if there is none.

        `known_as` is the name that it is about to get, and is released by.
        """
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            there = os.fstat(descriptor).st_nlink > 0
        except OSError:
            there = True  # a file system without locks: nothing is removed there either
        if not there:
            os.close(descriptor)
            return False
        self._keep(known_as or path, descriptor)
        touch(path)
        return True

    def release(self, path: Path) -> None:
        """Take the mark away again."""
        with self._lock:
            descriptor = self._held.pop(path, None)
        if descriptor is not None:
            os.close(descriptor)

    def _keep(self, path: Path, descriptor: int) -> None:
        with self._lock:
            before = self._held.get(path)
            self._held[path] = descriptor
        if before is not None:
            os.close(before)


def touch(path: Path) -> None:
    """Note that a file is used now; on a volume that cannot be written it stays what it was."""
    with contextlib.suppress(OSError):
        os.utime(path)


def is_held(path: Path) -> bool:
    """Return whether some process uses the file; a file that is gone is not used."""
    return not _try_exclusive(path, remove=False)


def remove_unused(path: Path) -> bool:
    """Remove a file that nobody uses; return whether it is gone."""
    return _try_exclusive(path, remove=True)


def _try_exclusive(path: Path, *, remove: bool) -> bool:
    """Return whether the file could be had for oneself, and remove it then if asked to."""
    try:
        # NFS gives exclusive locks only for writing.
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Another file may have got the name since.
        if remove and os.path.samestat(os.fstat(descriptor), path.stat()):
            path.unlink()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)
