"""What the host needs from the outside, as small protocols, and the values that cross them.

`host` uses these and nothing behind them; `__main__` and `cli` choose the real ones (`sources`, `engine`, `workers`),
tests choose fakes. No I/O here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from wasmoor_runtime.artifacts.packages import Package
from wasmoor_runtime.contract.document import CallLimits, Contract, PinnedSource
from wasmoor_runtime.contract.status import MemoryStatus, WorkerStatus

# Called with (bytes so far, bytes in all) while something is pulled; 0 in all while nobody knows.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A component's bytes on this machine's disk, checked against its digest."""

    path: Path
    digest: str  # of the layer: what compiled code is keyed by
    manifest_digest: str
    media_type: str
    size: int
    annotations: Mapping[str, str] = field(default_factory=dict)
    policy_digest: str = ""  # of the policy that the artifact carries, which is not applied; empty when there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """An exported function: what a tool is made of. Schemas are JSON Schema 2020-12 with an object root."""

    id: str  # as the component exports it: `get-time` or `acme:clock/api@1.0.0#get-time`
    name: str  # the MCP tool name
    description: str
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any]
    unsupported: str = ""  # why it cannot be served; empty when it can
    content: bool = False  # the result is a list of blocks for people and models to look at, see `wit.content`


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a component says of itself and how it meets the world, as far as a host needs it."""

    name: str = ""  # from its own metadata; empty when it does not say
    version: str = ""
    language: str = ""
    imports: tuple[str, ...] = ()  # WIT names: interfaces with their version, or functions
    exports: tuple[str, ...] = ()
    packages: tuple[Package, ...] = ()  # what it was built from, as it lists them itself
    problems: tuple[str, ...] = ()  # lists of packages that cannot be read


class Verdict(StrEnum):
    """How a call ended."""

    OK = "Ok"
    COMPONENT_ERROR = "ComponentError"  # the `err` of a top-level WIT result; the payload carries it
    INVALID_ARGUMENTS = "InvalidArguments"
    TRAPPED = "Trapped"
    OUT_OF_MEMORY = "OutOfMemory"
    OUT_OF_STACK = "OutOfStack"
    OUT_OF_FUEL = "OutOfFuel"
    EXCEEDS_LIMITS = "ExceedsLimits"  # more tables, memories or instances than one call may have
    EXECUTION_TIMEOUT = "ExecutionTimeout"
    RESPONSE_TOO_LARGE = "ResponseTooLarge"
    BUSY = "Busy"  # concurrency and queue are full; refused at once
    RATE_LIMITED = "RateLimited"  # more calls a second than allowed; refused at once
    CRASHED = "Crashed"  # the worker died
    UNAVAILABLE = "Unavailable"  # stopping, or not started


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one call used, as its worker's kernel counts it: from before its instance is made until it has answered."""

    cpu_seconds: float = 0.0
    memory_bytes: int = 0  # at its peak: linear memories and tables, and the host's copies of what is passed
    fuel: int | None = None  # None where no limit is set, because nothing is counted then
    # System calls that read or write files and pipes (sockets are not among them), and what they moved; None where the
    # kernel does not tell.
    io_operations: int | None = None
    io_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one call."""

    verdict: Verdict
    payload: bytes = b""  # JSON of an object: `{"result": …}` when Ok, `{"error": …}` when ComponentError; else empty
    message: str = ""  # one sentence for people, never a host backtrace; empty when Ok
    seconds: float = 0.0
    usage: Usage | None = None  # None for a call that no worker took, or whose worker died


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How far a call is, as its component says. From one to the next, `progress` grows."""

    progress: float
    total: float | None = None
    message: str = ""


# Called on the event loop while a call runs; it must return at once.
Report = Callable[[Step], None]


class Fetcher(Protocol):
    """Brings a pinned artifact to this machine."""

    async def fetch(self, source: PinnedSource, progress: Progress | None = None, /) -> Blob:
        """Return the checked bytes, from the cache if they are there. Raises `Stalled` or `Waiting`."""


class AdvisorySource(Protocol):
    """Has the known vulnerabilities that a contract's policy names."""

    async def read(self, contract: Contract, /) -> bytes:
        """Return the document that `contract.artifacts.advisories` names. Raises `Waiting` (PolicyInvalid)."""


class Compiler(Protocol):
    """Turns a component into code for this machine."""

    async def compile(self, blob: Blob, limits: CallLimits, *, timeout: float) -> Path:
        """Return the path of compiled code, from the cache if it is there. Raises `Stalled` or `Waiting`."""


class Pool(Protocol):
    """The processes that run one component's calls."""

    @property
    def functions(self) -> tuple[Function, ...]:
        """What the component exports, in a stable order, unsupported functions included."""

    @property
    def profile(self) -> Profile:
        """What the component says of itself, and what it imports and exports."""

    async def call(self, function: str, arguments: bytes, *, timeout: float, report: Report | None = None) -> Outcome:
        """Run one call of `function` (an id) with a JSON object; never raises but `CancelledError`.

        Cancelling the task ends the call and its worker. Answers within `timeout` seconds, whatever the guest does.
        `report` hears what the component says of its progress; without it nothing is passed on.
        """

    def status(self) -> WorkerStatus:
        """Return what the processes do now."""

    def memory(self) -> MemoryStatus:
        """Return what calls hold of memory now, and have held."""

    async def close(self, grace: float) -> None:
        """Let running calls finish for `grace` seconds, then end everything."""


class PoolStarter(Protocol):
    """Starts a pool."""

    async def start(self, compiled: Path, blob: Blob, limits: CallLimits) -> Pool:
        """Return a pool that can take calls. Raises `Stalled` (UnsupportedInterface, …) or `Waiting`."""
