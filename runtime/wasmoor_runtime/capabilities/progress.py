"""`wasmoor:mcp/progress` (runtime/wit/mcp.wit): a guest says how far its call is.

Threat: none beyond noise, which `engine.reports` bounds. It grants nothing: what is said goes to the caller alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from wasmoor_runtime.engine.machine import Linker, Store, define_function
from wasmoor_runtime.engine.reports import Reports

INTERFACE = "wasmoor:mcp/progress@"


class Progress:
    """Reports of progress."""

    def __init__(self, reports: Reports) -> None:
        self._reports = reports
        self._imported: tuple[str, ...] = ()

    def configure(self, imports: Sequence[str]) -> bool:
        """Remember under which versions the component imports it; True when it does."""
        self._imported = tuple(name for name in imports if name.startswith(INTERFACE))
        return bool(self._imported)

    def link(self, linker: Linker) -> None:
        """Define `report`."""
        for interface in self._imported:
            define_function(linker, interface, "report", self._report)

    def prepare(self, store: Store) -> None:
        """Do nothing: whom to tell is known by `Reports`."""

    def _report(self, _store: object, progress: float, total: float | None, message: str | None) -> None:
        self._reports.tell(progress, total, message)
