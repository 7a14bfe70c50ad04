"""Components that return what they are given, made for any types.

The core function is the identity on a pointer: a parameter that makes the others too many for registers has them all in
memory, and a result of the same shape is laid out alike. So whatever the type, nothing but the engine's own lifting and
lowering and this project's conversions touch a value.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import wasmtime

from wasmoor_runtime.contract.document import CallLimits
from wasmoor_runtime.engine import inspection, machine
from wasmoor_runtime.engine.invocation import Invoker
from wasmoor_runtime.engine.reports import Reports
from wasmoor_runtime.engine.settings import EngineSettings
from wasmoor_runtime.ports import Function, Outcome, Usage
from wasmoor_runtime.wit import types

PADDING = [0] * 16
_CORE = """
  (core module $m
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 16))
    (func (export "realloc") (param $old i32) (param $had i32) (param $align i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and
        (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
      (global.set $next (i32.add (local.get $at) (local.get $size)))
      (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
        (then (drop (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get $size) (i32.const 16)))))))
      (local.get $at))
    (func (export "same") (param i32) (result i32) (local.get 0)))
  (core instance $i (instantiate $m))
"""


class Echo:
    """A component with a function `echo-N` for each type, in this process."""

    def __init__(self, kinds: Sequence[types.Type]) -> None:
        limits = CallLimits(memory_bytes=1 << 26)
        engine = machine.build_engine(EngineSettings.from_limits(limits))
        component = machine.Component(engine, wasmtime.wat2wasm(render_component(kinds)))
        self.exports = inspection.inspect_exports(engine, component)
        self.functions: tuple[Function, ...] = inspection.describe_functions(self.exports, {})
        self._invoker = Invoker(
            engine=engine,
            component=component,
            linker=machine.build_linker(engine, component, ()),
            capabilities=(),
            exports=self.exports,
            limits=limits,
            reports=Reports(),
        )

    def call(self, index: int, arguments: str) -> Outcome:
        """Call `echo-N` with a JSON object."""
        return self._invoker.run(self.functions[index].id, arguments.encode(), lambda _fuel: Usage())


def render_component(kinds: Sequence[types.Type]) -> str:
    """Return the text of a component with an identity function for each type."""
    writer = _Writer()
    padding = f"(tuple {' '.join(['u8'] * len(PADDING))})"
    for index, kind in enumerate(kinds):
        name = writer.name(kind)
        writer.lines.append(
            f'(func (export "echo-{index}") (param "value" {name}) (param "padding" {padding})'
            f" (result (tuple {name} {padding}))"
            ' (canon lift (core func $i "same") (memory (core memory $i "memory"))'
            ' (realloc (core func $i "realloc"))))'
        )
    return f"(component {_CORE} {' '.join(writer.lines)})"


class _Writer:
    """Writes types down; those that the component model wants named are exported."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._numbers = itertools.count()

    def name(self, kind: types.Type) -> str:
        """Return how a type is written where it is used."""
        match kind:
            case types.Record(fields):
                text = self._define("record", (f'(field "{each.name}" {self.name(each.type)})' for each in fields))
            case types.Variant(cases):
                text = self._define("variant", (self._case(case) for case in cases))
            case types.Enum(names) | types.Flags(names):
                text = self._define(type(kind).__name__.lower(), (f'"{each}"' for each in names))
            case types.Result(ok, err):
                failure = f" (error {self.name(err)})" if err is not None else ""
                text = f"(result{f' {self.name(ok)}' if ok is not None else ''}{failure})"
            case types.List() | types.Tuple() | types.Option():
                text = f"({type(kind).__name__.lower()} {' '.join(self.name(each) for each in types.children(kind))})"
            case _:
                text = types.describe(kind)
        return text

    def _case(self, case: types.Case) -> str:
        return f'(case "{case.tag}"{f" {self.name(case.type)}" if case.type is not None else ""})'

    def _define(self, word: str, parts: Iterator[str]) -> str:
        body = " ".join(parts)
        number = next(self._numbers)
        self.lines.append(f'(type $d{number} ({word} {body})) (export $t{number} "t{number}" (type $d{number}))')
        return f"$t{number}"
