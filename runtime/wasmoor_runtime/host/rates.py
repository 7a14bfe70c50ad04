"""How many calls a second: a bucket that holds one second's worth and fills evenly. Pure; time is passed in."""

from __future__ import annotations


class Rate:
    """The bucket of one component in one process. Times are seconds of a clock that never goes back."""

    def __init__(self, per_second: int, now: float) -> None:
        """Start full."""
        self.per_second = per_second
        self._tokens = float(per_second)
        self._since = now

    def take(self, now: float) -> float:
        """Take one call; returns 0, or the seconds until there is one to take."""
        self._tokens = min(float(self.per_second), self._tokens + (now - self._since) * self.per_second)
        self._since = now
        if self._tokens < 1.0:
            return (1.0 - self._tokens) / self.per_second
        self._tokens -= 1.0
        return 0.0
