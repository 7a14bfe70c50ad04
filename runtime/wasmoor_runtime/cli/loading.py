"""One component, loaded as a pod would load it, for a command that ends: `component call`, `load` and `inspect`.

The host, the parts and the contract are those of `serve`; only nobody tries again when it fails.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from wasmoor_runtime import events, parts
from wasmoor_runtime.cli import display
from wasmoor_runtime.cli.assembly import Loadable
from wasmoor_runtime.host.component import ComponentHost
from wasmoor_runtime.ports import Blob


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step on the way: `at` is when it began, in seconds since the command began to load."""

    at: float
    phase: str
    what: str


class Trace:
    """A listener that notes when each step began."""

    kinds: events.Kinds = (events.Moved,)

    def __init__(
        self, tell: Callable[[Step], None] | None = None, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.steps: list[Step] = []
        self._tell = tell
        self._clock = clock
        self._began = clock()

    def hear(self, event: events.Event) -> None:
        """Note a move."""
        if isinstance(event, events.Moved):
            self.note(event.phase.value, event.message)

    def note(self, phase: str, what: str) -> None:
        """Note the beginning of a step, and tell it."""
        step = Step(at=self._clock() - self._began, phase=phase, what=what)
        self.steps.append(step)
        if self._tell is not None:
            self._tell(step)

    def measure(self) -> list[tuple[Step, float]]:
        """Return the steps with the seconds that each took, up to now for the last one."""
        ends = [step.at for step in self.steps[1:]] + [self._clock() - self._began]
        return [(step, max(end - step.at, 0.0)) for step, end in zip(self.steps, ends, strict=True)]


@contextlib.asynccontextmanager
async def open_component(plan: Loadable, cache: Path, trace: Trace | None = None) -> AsyncIterator[ComponentHost]:
    """Give a host whose tools can be called; ends its processes when left. Raises `Stalled` or `Waiting`."""
    with _showing(plan, quiet=trace is not None) as shown:
        listeners: tuple[events.Listener, ...] = (shown, trace) if trace else (shown,)
        host = ComponentHost(
            plan.ref, plan.discover, parts.build(cache, advisories=plan.advisories), listeners=listeners
        )
        try:
            await host.start_once()
            shown.stop()
            yield host
        finally:
            await host.stop(0.0)


async def fetch_component(plan: Loadable, cache: Path) -> Blob:
    """Return the component's checked bytes without compiling them. Raises `Stalled` or `Waiting`."""
    contract = await plan.discover()
    with _showing(plan, quiet=False) as shown:

        def report(done: int, total: int) -> None:
            shown.hear(events.Pulled(component=name_of(plan), done=done, total=total))

        return await parts.build(cache).fetcher.fetch(contract.source, report)


def name_of(plan: Loadable) -> str:
    """Return `namespace/name`."""
    return f"{plan.ref.namespace}/{plan.ref.name}"


@contextlib.contextmanager
def _showing(plan: Loadable, *, quiet: bool) -> Iterator[display.Display]:
    """Show progress to a person who looks; nothing at all in a pipe."""
    console = Console(stderr=True)
    shown = display.Display(console, [name_of(plan)])
    if console.is_terminal and not quiet:
        shown.start()
    try:
        yield shown
    finally:
        shown.stop()
