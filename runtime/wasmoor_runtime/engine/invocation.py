"""One call: a fresh store and instance, arguments in, result out, and a verdict on how it ended.

Runs in a worker, which does one call at a time. Nothing a guest does raises out of `Invoker.run`; what it does for ever
is ended from outside, with the process.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from ctypes import byref
from dataclasses import dataclass
from typing import Any

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime import component as components

from wasmoor_runtime.contract.document import CallLimits
from wasmoor_runtime.engine import conversion, machine, usage
from wasmoor_runtime.engine.inspection import Export
from wasmoor_runtime.engine.reports import Reports
from wasmoor_runtime.ports import Outcome, Report, Usage, Verdict
from wasmoor_runtime.wit import types, values

# What wasmtime says when a limit is hit, what that is here, and what people are told.
_LIMIT_SIGNS = (
    (("all fuel consumed",), Verdict.OUT_OF_FUEL, "the call used up its {limits.fuel} units of fuel"),
    (
        ("call stack exhausted",),
        Verdict.OUT_OF_STACK,
        "the call needs more than the {limits.stack_bytes} bytes of stack it may have",
    ),
    # wasmtime copies at most 128 MiB between a guest and its host in one call, by the size of its own values: 3 MB of
    # list<u8>, 100 MB of string.
    (
        ("too much data is being copied",),
        Verdict.RESPONSE_TOO_LARGE,
        "the call passes more data than one call may: ask for less",
    ),
    (
        ("memory minimum size", "exceeds memory limits"),
        Verdict.OUT_OF_MEMORY,
        "it needs more than the {limits.memory_bytes} bytes of memory allowed",
    ),
    (
        ("table minimum size", "exceeds table limits"),
        Verdict.EXCEEDS_LIMITS,
        "it needs a table of more than the {limits.table_elements} elements allowed",
    ),
)
_TOO_MANY = "resource limit exceeded: "  # `instance count too high at 3`
# What a program that gives up executes. One that does so close to its limit was refused the rest: allocators ask for
# what they need, so how close cannot be said exactly, and the message tells both numbers in any case.
_GAVE_UP = "wasm `unreachable` instruction executed"
_CLOSE_TO_LIMIT = 7 / 8

# Returns what was used so far, given the fuel.
Measure = Callable[[int | None], Usage]

# Seconds. Below, preparing an instance gains nothing worth its memory; above, a start that hangs could not be told from
# a slow one before the front ends a worker that goes on after its answer (`workers.pool`).
_WORTH_PREPARING = 0.0002
_LONGEST_PREPARED = 0.02
_STALE_SECONDS = 60.0


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """An instance that no call has used yet."""

    store: machine.Store
    instance: components.Instance
    since: float  # time.monotonic()


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
        self._ready: _Ready | None = None
        self._seconds = 0.0  # that the last instance took

    def probe(self, measure: Measure) -> Outcome:
        """Instantiate and do nothing: says whether calls can work at all."""
        return self._measured(lambda store, _: self._instantiate(store) and b"{}", measure)

    def run(self, function: str, arguments: bytes, measure: Measure, report: Report | None = None) -> Outcome:
        """Run one call of a function, by id, with a JSON object; never raises. `report` hears of its progress."""
        self._reports.begin(report)
        return self._measured(lambda store, instance: self._call(store, instance, function, arguments), measure)

    @property
    def pays_to_prepare(self) -> bool:
        """True when making an instance takes long enough to do it ahead, and not too long."""
        return self._ready is None and _WORTH_PREPARING <= self._seconds <= _LONGEST_PREPARED

    def prepare(self) -> bool:
        """Make the next call's instance now, after an answer, when nobody waits; return whether there is one.

        The call that takes it over answers for what it has used so far.
        """
        self._reports.begin(None)
        store = self._open_store()
        try:
            self._ready = _Ready(store=store, instance=self._instantiate(store), since=time.monotonic())
        except (_Ended, MemoryError):
            store.close()  # the call will tell
        return self._ready is not None

    def drop_stale(self) -> bool:
        """Forget an instance that has waited long, for it may have looked at a clock; return whether there is one."""
        if self._ready is not None and time.monotonic() - self._ready.since > _STALE_SECONDS:
            self._ready.store.close()
            self._ready = None
        return self._ready is not None

    def _measured(self, work: Any, measure: Measure) -> Outcome:
        wall = time.monotonic()
        verdict, message, payload = Verdict.OK, "", b""
        ready, self._ready = self._ready, None
        store = self._open_store() if ready is None else ready.store
        try:
            payload = work(store, ready.instance if ready else None)
        except _Ended as end:
            verdict, message = end.verdict, end.message
        except _ComponentError as error:
            verdict, message, payload = Verdict.COMPONENT_ERROR, "the component answered with an error", error.payload
        except (MemoryError, RecursionError) as error:
            verdict, message = Verdict.OUT_OF_MEMORY, f"the worker ran out of memory for this call's data ({error!r})"
        finally:
            # While the memories are still there.
            used = measure(None if self._limits.fuel is None else self._limits.fuel - store.get_fuel())
            store.close()
        return Outcome(verdict=verdict, payload=payload, message=message, seconds=time.monotonic() - wall, usage=used)

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
        started = time.monotonic()
        try:
            return self._linker.instantiate(store, self._component)
        except machine.WasmtimeError as error:
            raise self._ended(error, "the component could not be started: ") from None
        finally:
            self._seconds = time.monotonic() - started

    def _call(
        self, store: machine.Store, prepared: components.Instance | None, identity: str, arguments: bytes
    ) -> bytes:
        function = self._functions.get(identity)
        if function is None:
            raise _Ended(Verdict.INVALID_ARGUMENTS, f"there is no function {identity} that can be called")
        neutral = _parse(arguments, function.signature)
        instance = prepared or self._instantiate(store)
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
        message = machine.short_message(error)
        if isinstance(error, wasmtime.ExitTrap):
            message = f"the component ended itself with exit code {error.code}"
        verdict, message = self._judge(message)
        return _Ended(verdict, f"{prefix}{message}")

    def _judge(self, message: str) -> tuple[Verdict, str]:
        limits = self._limits
        for signs, verdict, explanation in _LIMIT_SIGNS:
            if all(sign in message for sign in signs):
                return verdict, explanation.format(limits=limits)
        if _TOO_MANY in message:
            what = message.partition(_TOO_MANY)[2]
            return Verdict.EXCEEDS_LIMITS, f"it needs more than one call may have: {what}"
        if _GAVE_UP in message:
            reached = usage.measure_largest_memory()
            if reached >= limits.memory_bytes * _CLOSE_TO_LIMIT:
                return Verdict.OUT_OF_MEMORY, (
                    f"the component gave up with {reached} of the {limits.memory_bytes} bytes of memory it may have"
                )
            return Verdict.TRAPPED, f"{message}, when {reached} of {limits.memory_bytes} bytes of memory were in use"
        return Verdict.TRAPPED, message


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
