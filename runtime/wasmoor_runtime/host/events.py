"""What happens to a component and its calls, told to whoever counts, logs or shows it. Values and one protocol.

`host.component` tells; `telemetry` and the command line's display listen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from wasmoor_runtime.contract.status import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A component came to a phase, or its reason for being there changed."""

    component: str  # namespace/name
    before: Phase
    phase: Phase
    reason: str
    message: str
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """So many bytes of a component are here."""

    component: str
    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A component is compiled and its processes run."""

    component: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A call of a tool ended."""

    component: str
    tool: str
    verdict: str  # a `ports.Verdict`, or `Cancelled` when the client went away
    seconds: float
    cpu_seconds: float


Event = Moved | Pulled | Loaded | Called


class Listener(Protocol):
    """Hears events, on the event loop: it must return at once."""

    def hear(self, event: Event) -> None:
        """Take note of `event`. What it raises is logged and changes nothing."""
