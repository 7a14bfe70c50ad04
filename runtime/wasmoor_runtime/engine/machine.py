"""Engines, components and linkers of wasmtime, made in one way everywhere.

Runs in the compile process, in zygotes and in workers, never in the front. Linkers must be built by one thread:
wasmtime-py registers host functions without a lock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime import component as components

from wasmoor_runtime.engine.settings import EngineSettings

_HOST_STACK_BYTES = 1024 * 1024
_LONGEST_MESSAGE = 1000
_BACKTRACE = "error while executing at wasm backtrace"

WasmtimeError = wasmtime.WasmtimeError
Engine = wasmtime.Engine
Component = components.Component
Linker = components.Linker
Store = wasmtime.Store
WasiConfig = wasmtime.WasiConfig
Variant = components.Variant


class Capability(Protocol):
    """Something a component may import. One file each in `capabilities`, with three verbs."""

    def configure(self, imports: Sequence[str]) -> bool:
        """Look at what one component imports; False when it needs nothing of this capability."""

    def link(self, linker: Linker) -> None:
        """Define the interfaces, once per process."""

    def prepare(self, store: Store) -> None:
        """Give one call what it may use."""


def build_engine(settings: EngineSettings) -> Engine:
    """Return an engine. Deadlines are kept by ending the process, so there are no epoch checks to slow guests."""
    config = wasmtime.Config()
    config.max_wasm_stack = settings.stack_bytes
    # The engine aborts the process when its stacks for asynchronous calls are no larger than that, used or not.
    ffi.wasmtime_config_async_stack_size_set(config.ptr(), settings.stack_bytes + _HOST_STACK_BYTES)
    config.consume_fuel = settings.metered
    return Engine(config)


def load_component(engine: Engine, compiled: Path) -> Component:
    """Return the component in a file of compiled code, mapped rather than read, so that processes share its pages."""
    return Component.deserialize_file(engine, str(compiled))


def import_names(engine: Engine, component: Component) -> tuple[str, ...]:
    """Return what the component imports, by full name and in its own order."""
    return tuple(component.type.imports(engine))


def build_linker(engine: Engine, component: Component, capabilities: Sequence[Capability]) -> Linker:
    """Return a linker with every capability that the component needs."""
    imports = import_names(engine, component)
    linker = Linker(engine)
    linker.allow_shadowing = True
    for capability in capabilities:
        if capability.configure(imports):
            capability.link(linker)
    return linker


def define_function(linker: Linker, interface: str, name: str, function: Callable[..., Any]) -> None:
    """Define one function of an interface, in place of an earlier definition. `function` must never raise.

    wasmtime-py parks an exception of a host function in a module global, from where another call may get it.
    """
    with linker.root() as root, root.add_instance(interface) as instance:
        instance.add_func(name, function)


def short_message(error: Exception) -> str:
    """Return what wasmtime says in one line, without a backtrace of the guest: the innermost cause, and its frame."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return "no reason given"
    head = lines[0].removesuffix(":")
    causes = lines[lines.index("Caused by:") + 1 :] if "Caused by:" in lines else []
    numbered = [cause.partition(": ")[2] if cause[:1].isdigit() else cause for cause in causes]
    trap = next((cause.removeprefix("wasm trap: ") for cause in numbered if cause.startswith("wasm trap: ")), None)
    if trap is not None:
        return trap
    parts = numbered if head.startswith(_BACKTRACE) and numbered else [head, *numbered]
    return ": ".join(parts)[:_LONGEST_MESSAGE]
