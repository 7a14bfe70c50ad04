"""One call: a fresh store and instance, arguments in, result out, and a verdict on how it ended.

Runs in a worker, which does one call at a time. Nothing a guest does raises out of `Invoker.run`; what it does for ever
is ended from outside, with the process.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from ctypes import byref
from dataclasses import dataclass
from typing import Any

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime import component as components

from wasmoor_runtime.contract.document import CallLimits
from wasmoor_runtime.engine import conversion, machine
from wasmoor_runtime.engine.inspection import Export
from wasmoor_runtime.engine.reports import Reports
from wasmoor_runtime.ports import Outcome, Report, Verdict
from wasmoor_runtime.wit import types, values

_FUEL_SPENT = "all fuel consumed"
# wasmtime copies at most 128 MiB between a guest and its host in one call, by the size of its own values: 3 MB of
# list<u8>, 100 MB of string.
_COPIED_TOO_MUCH = "too much data is being copied"
_MEMORY_REFUSED = ("memory minimum size", "exceeds memory limits")


class _Ended(Exception):
    """The call is over, with this verdict."""

    def __init__(self, verdict: Verdict, message: str) -> None:
        super().__init__(message)
        self.verdict = verdict
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class _Callable:
    """What a call of one function needs, looked up once."""

    index: components.ExportIndex
    signature: types.Signature
    lowerings: tuple[conversion.Lower, ...]
    lift: conversion.Lift | None


class Invoker:
    """Runs calls of one component. Built before workers are forked, used after."""

    def __init__(
        self,
        *,
        engine: machine.Engine,
        component: machine.Component,
        linker: machine.Linker,
        capabilities: Sequence[machine.Capability],
        exports: Sequence[Export],
        limits: CallLimits,
        reports: Reports,
    ) -> None:
        self._engine = engine
        self._component = component
        self._linker = linker
        self._limits = limits
        self._reports = reports
        imports = machine.import_names(engine, component)
        self._capabilities = [each for each in capabilities if each.configure(imports)]
        self._functions = _prepare(component, exports)

    def probe(self) -> Outcome:
        """Instantiate and do nothing: says whether calls can work at all."""
        return self._timed(lambda store: self._instantiate(store) and b"{}")

    def run(self, function: str, arguments: bytes, report: Report | None = None) -> Outcome:
        """Run one call of a function, by id, with a JSON object; never raises. `report` hears of its progress."""
        self._reports.begin(report)
        return self._timed(lambda store: self._call(store, function, arguments))

    def _timed(self, work: Any) -> Outcome:
        wall, cpu = time.monotonic(), time.process_time()
        verdict, message, payload = Verdict.OK, "", b""
        store = self._open_store()
        try:
            payload = work(store)
        except _Ended as end:
            verdict, message = end.verdict, end.message
        except _ComponentError as error:
            verdict, message, payload = Verdict.COMPONENT_ERROR, "the component answered with an error", error.payload
        except (MemoryError, RecursionError) as error:
            verdict, message = Verdict.OUT_OF_MEMORY, f"the worker ran out of memory for this call's data ({error!r})"
        finally:
            store.close()
        return Outcome(
            verdict=verdict,
            payload=payload,
            message=message,
            seconds=time.monotonic() - wall,
            cpu_seconds=time.process_time() - cpu,
        )

    def _open_store(self) -> machine.Store:
        limits = self._limits
        store = machine.Store(self._engine)
        store.set_limits(
            memory_size=limits.memory_bytes,
            table_elements=limits.table_elements,
            instances=limits.instances,
            tables=limits.tables,
            memories=limits.memories,
        )
        if limits.fuel is not None:
            store.set_fuel(limits.fuel)
        for capability in self._capabilities:
            capability.prepare(store)
        return store

    def _instantiate(self, store: machine.Store) -> components.Instance:
        try:
            return self._linker.instantiate(store, self._component)
        except machine.WasmtimeError as error:
            raise self._ended(error, "the component could not be started: ") from None

    def _call(self, store: machine.Store, identity: str, arguments: bytes) -> bytes:
        function = self._functions.get(identity)
        if function is None:
            raise _Ended(Verdict.INVALID_ARGUMENTS, f"there is no function {identity} that can be called")
        neutral = _parse(arguments, function.signature)
        instance = self._instantiate(store)
        found = instance.get_func(store, function.index)
        if found is None:
            raise _Ended(Verdict.TRAPPED, f"the component has no function {identity} any more")
        return self._render(function, self._enter(store, found, function, neutral))

    def _enter(self, store: machine.Store, found: Any, function: _Callable, neutral: Sequence[Any]) -> Any:
        """Lower, call, lift. Everything on wasmtime's heap is given back."""
        count = len(neutral)
        arguments = (conversion.Value * count)()
        lowered = 0
        try:
            for lower, value in zip(function.lowerings, neutral, strict=True):
                lower(arguments[lowered], value)
                lowered += 1
            result = conversion.Value()
            results = 0 if function.lift is None else 1
            # `Func.__call__` would look all types up again and convert by its own rules; see `conversion`.
            failure = ffi.wasmtime_component_func_call(
                byref(found._func),  # noqa: SLF001
                store._context(),  # noqa: SLF001
                arguments,
                count,
                byref(result),
                results,
            )
        finally:
            for index in range(lowered):
                conversion.delete_value(byref(arguments[index]))
        if failure:
            raise self._ended(machine.WasmtimeError._from_ptr(failure), "") from None  # noqa: SLF001
        if function.lift is None:
            return None
        try:
            return function.lift(result)
        finally:
            conversion.delete_value(byref(result))

    def _render(self, function: _Callable, value: Any) -> bytes:
        kind, failed = function.signature.result, False
        if isinstance(kind, types.Result):
            failed = value.tag == "err"
            kind, value = (kind.err if failed else kind.ok), value.payload
        document = {"error" if failed else "result": values.render_value(value, kind)}
        payload = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        if len(payload) > self._limits.response_bytes:
            raise _Ended(
                Verdict.RESPONSE_TOO_LARGE,
                f"the answer has {len(payload)} bytes and {self._limits.response_bytes} are allowed: ask for less",
            )
        if failed:
            raise _ComponentError(payload)
        return payload

    def _ended(self, error: machine.WasmtimeError, prefix: str) -> _Ended:
        """Return the verdict for what wasmtime says; component traps arrive as plain `WasmtimeError`."""
        if isinstance(error, wasmtime.ExitTrap):
            return _Ended(Verdict.TRAPPED, f"{prefix}the component ended itself with exit code {error.code}")
        message = machine.short_message(error)
        if _FUEL_SPENT in message:
            return _Ended(Verdict.OUT_OF_FUEL, f"{prefix}the call used up its {self._limits.fuel} units of fuel")
        if _COPIED_TOO_MUCH in message:
            return _Ended(
                Verdict.RESPONSE_TOO_LARGE, f"{prefix}the call passes more data than one call may: ask for less"
            )
        if all(part in message for part in _MEMORY_REFUSED):
            allowed = self._limits.memory_bytes
            return _Ended(Verdict.OUT_OF_MEMORY, f"{prefix}it needs more than the {allowed} bytes of memory allowed")
        return _Ended(Verdict.TRAPPED, f"{prefix}{message}")


class _ComponentError(Exception):
    """The `err` of a top-level result."""

    def __init__(self, payload: bytes) -> None:
        super().__init__()
        self.payload = payload


def _prepare(component: machine.Component, exports: Sequence[Export]) -> Mapping[str, _Callable]:
    prepared = {}
    for export in exports:
        if types.find_unsupported(export.signature):
            continue
        outer = None if export.interface is None else component.get_export_index(export.interface)
        index = component.get_export_index(export.name, outer)
        if index is not None:
            result = export.signature.result
            prepared[export.id] = _Callable(
                index=index,
                signature=export.signature,
                lowerings=tuple(conversion.lowering(each.type) for each in export.signature.parameters),
                lift=None if result is None else conversion.lifting(result),
            )
    return prepared


def _parse(arguments: bytes, signature: types.Signature) -> list[Any]:
    try:
        document = json.loads(arguments, parse_constant=_refuse_constant)
        return values.parse_arguments(document, signature.parameters)
    except values.InvalidValue as error:
        raise _Ended(Verdict.INVALID_ARGUMENTS, str(error)) from None
    except (ValueError, RecursionError):
        raise _Ended(Verdict.INVALID_ARGUMENTS, "the arguments are no valid JSON") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
