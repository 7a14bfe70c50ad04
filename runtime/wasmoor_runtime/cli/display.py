"""Shows people how far each component is, and at the end where it is served. Hears the hosts' events.

On a terminal: one line a component that changes in place; elsewhere `telemetry.logs` writes lines instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from wasmoor_runtime import events
from wasmoor_runtime.contract.status import ComponentStatus, Phase

_BAR = 24  # characters
# How the host's message begins while machine code is made, which takes seconds and says nothing on the way.
_COMPILING = "compiling"
_MARKS = {Phase.RUNNING: ("✓", "green"), Phase.FAILED: ("✗", "red")}


@dataclass(slots=True)
class _Line:
    phase: Phase = Phase.DISCOVERING
    message: str = ""
    done: int = 0
    total: int = 0


class Display:
    """A live list of components."""

    kinds: events.Kinds = (events.Moved, events.Pulled)

    def __init__(self, console: Console, components: Sequence[str]) -> None:
        self._lines = {component: _Line() for component in components}
        self._spinner = Spinner("dots")
        self._live = Live(self, console=console, refresh_per_second=10, transient=True)

    def start(self) -> None:
        """Begin to show."""
        self._live.start()

    def stop(self) -> None:
        """Take the list away again."""
        self._live.stop()

    def hear(self, event: events.Event) -> None:
        """Remember what to show; the list is drawn ten times a second, however much happens."""
        if isinstance(event, events.Pulled):
            line = self._lines.setdefault(event.component, _Line())
            line.done, line.total = event.done, event.total
        elif isinstance(event, events.Moved):
            line = self._lines.setdefault(event.component, _Line())
            line.phase, line.message = event.phase, event.message
            line.done = line.total = 0

    def __rich_console__(self, _: Console, __: ConsoleOptions) -> RenderResult:
        table = Table(box=None, show_header=False, pad_edge=False)
        for component, line in self._lines.items():
            mark, colour = _MARKS.get(line.phase, ("", "cyan"))
            table.add_row(
                Text(mark, style=colour) if mark else self._spinner,
                component,
                Text(line.phase.value, style=colour),
                _render_progress(line),
            )
        yield table


def _render_progress(line: _Line) -> RenderableType:
    """Return a bar with numbers while bytes come, a moving one while nobody knows how long, and the message."""
    if line.done or line.total:
        known = f"{line.done / 1e6:.1f} of {line.total / 1e6:.1f} MB" if line.total else f"{line.done / 1e6:.1f} MB"
        return _beside(ProgressBar(total=line.total or None, completed=line.done, width=_BAR), known)
    if line.phase is Phase.LOADING and line.message.startswith(_COMPILING):
        return _beside(ProgressBar(total=None, width=_BAR), line.message)
    return Text(line.message)


def _beside(bar: ProgressBar, text: str) -> Table:
    row = Table.grid(padding=(0, 1))
    row.add_row(bar, Text(text))
    return row


def render_summary(statuses: Sequence[tuple[ComponentStatus, str]]) -> Table:
    """Return the final table: each component with its URL and tools, or why it is not served."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("COMPONENT", "PHASE", "URL", "TOOLS"):
        table.add_column(heading, overflow="fold")
    for status, url in statuses:
        name = f"{status.namespace}/{status.name}"
        if status.ready:
            tools = ", ".join(tool.name for tool in status.tools)
            table.add_row(name, Text(status.phase.value, style="green"), url, Text(tools))
        else:
            colour = _MARKS.get(status.phase, ("", "yellow"))[1]
            why = Text(f"{status.reason.value}: {status.message}")
            table.add_row(name, Text(status.phase.value, style=colour), "", why)
    return table


def render_hints(statuses: Sequence[tuple[ComponentStatus, str]], shared: str) -> str:
    """Return how to connect to the first component that is served, and to all of them together at `shared`."""
    for status, url in statuses:
        if status.ready and status.tools:
            name = escape(status.tools[0].name)
            return (
                f"Call a tool:      wasmoor call {url} {name} --args '{{…}}'\n"
                f"Add to a client:  claude mcp add --transport http {status.name} {url}\n"
                f"All together:     {shared} (tools are named component__tool)\n"
                "Stop:             Ctrl-C"
            )
    return ""
