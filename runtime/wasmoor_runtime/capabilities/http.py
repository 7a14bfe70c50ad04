"""`wasi:http` with every outgoing request denied.

Threat: a component with the network of its pod reaches whatever the pod reaches. wasmtime's handler is all or nothing,
so it is never linked: a function of ours stands in its place and answers `HTTP-request-denied`, the error that the
interface has for this. The types are wasmtime's own, so a guest builds its request and is refused when it sends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wasmoor_runtime.engine.machine import Linker, Store, Variant, define_function

_HANDLER = "wasi:http/outgoing-handler@"
_DENIED = Variant("HTTP-request-denied")


class Http:
    """Outgoing HTTP, denied."""

    def __init__(self) -> None:
        self._handlers: tuple[str, ...] = ()

    def configure(self, imports: Sequence[str]) -> bool:
        """Remember under which versions the component imports the handler; True when it imports any of wasi:http."""
        self._handlers = tuple(name for name in imports if name.startswith(_HANDLER))
        return any(name.startswith("wasi:http/") for name in imports)

    def link(self, linker: Linker) -> None:
        """Define the types, and shadow the handler under the very names the component imports."""
        linker.add_wasi_http()
        for handler in self._handlers:
            define_function(linker, handler, "handle", _deny)

    def prepare(self, store: Store) -> None:
        """Give the call the tables that requests live in."""
        store.set_wasi_http()


def _deny(_store: object, *handles: Any) -> Variant:
    """Refuse: the `err` case of the handler's result, which wasmtime-py tells apart without a tag.

    The request and its options were given away by the guest and are dropped here, or they would live on in the store.
    """
    for handle in handles:
        close = getattr(handle, "close", None)
        if close is not None:
            close()
    return _DENIED
