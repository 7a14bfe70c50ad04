"""What happens to components and their calls, as values, and the bus that tells it.

`host.component` tells. `telemetry` logs, counts, traces and sends it; the command line shows it. The first eight are
the component's lifecycle; `Moved` and `Pulled` say how far the way between two of them is. Pure but for what listeners
do: they are called on the event loop, in order, and must return at once.

Threat: arguments and results may hold secrets. They are in the values, because a listener may be asked to show them; no
listener shows them unless asked.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from wasmoor_runtime.contract.status import Phase
from wasmoor_runtime.ports import Usage

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trace:
    """Where a call belongs in somebody's trace (W3C Trace Context); checked by `mcp.traces`."""

    parent: str  # `traceparent`
    state: str = ""  # `tracestate`


@dataclass(frozen=True, slots=True)
class ComponentDiscovered:
    """It is known what is to be served."""

    component_id: str  # namespace/name, in all events
    uri: str  # `oci://…`, `https://…`, `file://…`, `configmap://name/key`; without secrets
    source: str  # `oci`, `http`, `file`, `configMap`


@dataclass(frozen=True, slots=True)
class ComponentLoading:
    """It is about to be pulled and compiled."""

    component_id: str


@dataclass(frozen=True, slots=True)
class ComponentLoaded:
    """It is compiled and its processes run."""

    component_id: str
    load_time: float  # seconds


@dataclass(frozen=True, slots=True)
class ComponentRegistered:
    """Its functions can be called as tools."""

    component_id: str
    tools: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FunctionCalled:
    """A call has come in."""

    component_id: str
    function: str  # the tool's name
    call: int  # numbers the calls of this component in this process
    arguments: bytes  # a JSON object
    trace: Trace | None


@dataclass(frozen=True, slots=True)
class FunctionCompleted:
    """A call is answered."""

    component_id: str
    function: str
    call: int
    duration: float  # seconds, waiting included
    usage: Usage | None
    result: bytes  # a JSON object


@dataclass(frozen=True, slots=True)
class FunctionFailed:
    """A call ended in any other way, or was refused."""

    component_id: str
    function: str
    call: int
    duration: float  # seconds, waiting included; 0 for a refused call
    usage: Usage | None
    reason: str  # a `ports.Verdict`, or `Cancelled` when the client went away
    error: str  # one sentence


@dataclass(frozen=True, slots=True)
class ComponentUnloaded:
    """Its processes have ended."""

    component_id: str


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


Lifecycle = (
    ComponentDiscovered
    | ComponentLoading
    | ComponentLoaded
    | ComponentRegistered
    | FunctionCalled
    | FunctionCompleted
    | FunctionFailed
    | ComponentUnloaded
)
Event = Lifecycle | Moved | Pulled
Kinds = tuple[type[Event], ...]

COMPONENT_KINDS: Kinds = (
    ComponentDiscovered,
    ComponentLoading,
    ComponentLoaded,
    ComponentRegistered,
    ComponentUnloaded,
)
FUNCTION_KINDS: Kinds = (FunctionCalled, FunctionCompleted, FunctionFailed)
LIFECYCLE_KINDS: Kinds = (*COMPONENT_KINDS, *FUNCTION_KINDS)
ALL_KINDS: Kinds = (*LIFECYCLE_KINDS, Moved, Pulled)


class Listener(Protocol):
    """Hears events, on the event loop: it must return at once."""

    @property
    def kinds(self) -> Kinds:
        """What it wants to hear, decided once."""

    def hear(self, event: Event) -> None:
        """Take note of `event`. What it raises is logged and changes nothing."""


class Bus:
    """Tells each listener what it wants to hear. What nobody wants to hear costs a look into a table."""

    def __init__(self, listeners: Sequence[Listener] = ()) -> None:
        self._hearers: Mapping[type[Event], tuple[Listener, ...]] = {
            kind: tuple(listener for listener in listeners if kind in listener.kinds) for kind in ALL_KINDS
        }

    def wants(self, kind: type[Event]) -> bool:
        """Return whether anybody hears events of this kind: making them can be left out otherwise."""
        return bool(self._hearers[kind])

    def emit(self, event: Event) -> None:
        """Tell everybody who wants to hear it."""
        for listener in self._hearers[type(event)]:
            try:
                listener.hear(event)
            except Exception:  # noqa: BLE001 - whatever a listener does, the call goes on
                _log.exception("a listener failed on %s", type(event).__name__)
