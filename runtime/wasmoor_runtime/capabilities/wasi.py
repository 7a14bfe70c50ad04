"""WASI 0.2 with nothing granted: no environment, arguments, files, sockets or names; output goes nowhere.

Threat: a component is a stranger's code. `wasmtime`'s WASI context starts out with nothing, and this module adds
nothing to it; sockets can be asked for and every address is refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from wasmoor_runtime.engine.machine import Linker, Store, WasiConfig


class Wasi:
    """The base that every component gets."""

    def configure(self, imports: Sequence[str]) -> bool:
        """Return True when the component imports any of WASI."""
        return any(name.startswith("wasi:") for name in imports)

    def link(self, linker: Linker) -> None:
        """Define all interfaces of WASI 0.2."""
        linker.add_wasip2()

    def prepare(self, store: Store) -> None:
        """Give the call an empty context."""
        store.set_wasi(WasiConfig())
