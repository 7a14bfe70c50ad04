"""One command at a time where two would disturb each other; the kernel lets go when the holder dies."""

import contextlib
import fcntl
import pathlib
from collections.abc import Iterator


@contextlib.contextmanager
def hold(path: pathlib.Path) -> Iterator[None]:
    """Hold an exclusive lock on a file for the length of the block; waits for another holder to finish."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
