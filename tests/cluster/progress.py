"""Plain progress lines on standard error, each with the seconds since the command began.

Standard output belongs to results (image references), so that scripts can read them. Knows nothing of clusters.
"""

import sys
import time


class Progress:
    """Prints one line per step; cheap enough to create once per command and pass along."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._began = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the command began."""
        return time.monotonic() - self._began

    def say(self, message: str) -> None:
        """Print one line at once, even through a pipe."""
        print(f"[{self._title} {self.elapsed:6.1f}s] {message}", file=sys.stderr, flush=True)
