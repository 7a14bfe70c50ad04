"""What a process is told by its surroundings rather than by a contract. Pure: callers pass the environment.

Read by `__main__` and `cli`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT_PORT = 8080
DEFAULT_ADMIN_PORT = 9090


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where a process listens."""

    host: str
    port: int = DEFAULT_PORT
    admin_host: str
    admin_port: int = DEFAULT_ADMIN_PORT


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """How a process stops, in seconds."""

    delay_seconds: float = 3.0
    """How long new calls are still taken after a stop signal: until nobody sends any more, because the pod has been
    taken out of its Service."""
    stop_seconds: float = 30.0
    """How long running calls may then go on."""


def decide_cache(environment: Mapping[str, str]) -> Path:
    """Return `$WASMOOR_CACHE`, else `$XDG_CACHE_HOME/wasmoor`, else `~/.cache/wasmoor`."""
    if environment.get("WASMOOR_CACHE"):
        return Path(environment["WASMOOR_CACHE"])
    if environment.get("XDG_CACHE_HOME"):
        return Path(environment["XDG_CACHE_HOME"]) / "wasmoor"
    return Path(environment.get("HOME") or "~").expanduser() / ".cache" / "wasmoor"
