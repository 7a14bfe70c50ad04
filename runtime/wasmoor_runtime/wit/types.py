"""The value types of the component model, as frozen values.

Source: https://github.com/WebAssembly/component-model/blob/main/design/mvp/WIT.md. Types of handles and of asynchronous
values have no JSON form; they become `Unsupported` with the reason, so that the rest of a component can be served.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bool:
    """`bool`."""


@dataclass(frozen=True, slots=True)
class Integer:
    """`s8` … `s64` and `u8` … `u64`."""

    bits: int
    signed: bool

    @property
    def minimum(self) -> int:
        """Smallest value."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def maximum(self) -> int:
        """Largest value."""
        return (1 << (self.bits - 1)) - 1 if self.signed else (1 << self.bits) - 1


@dataclass(frozen=True, slots=True)
class Float:
    """`f32` and `f64`."""

    bits: int


@dataclass(frozen=True, slots=True)
class Char:
    """`char`: one Unicode scalar value."""


@dataclass(frozen=True, slots=True)
class String:
    """`string`."""


@dataclass(frozen=True, slots=True)
class List:
    """`list<element>`."""

    element: Type

    @property
    def is_bytes(self) -> bool:
        """True for `list<u8>`, which travels as base64."""
        return self.element == U8


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record or a parameter of a function."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Record:
    """`record`."""

    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Tuple:
    """`tuple<…>`."""

    elements: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A case of a variant; `type` is None when it carries nothing."""

    tag: str
    type: Type | None


@dataclass(frozen=True, slots=True)
class Variant:
    """`variant`."""

    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """`result<ok, err>`; None where a side carries nothing."""

    ok: Type | None
    err: Type | None

    @property
    def cases(self) -> tuple[Case, ...]:
        """Both sides as the cases of a variant."""
        return (Case("ok", self.ok), Case("err", self.err))


@dataclass(frozen=True, slots=True)
class Option:
    """`option<payload>`."""

    payload: Type


@dataclass(frozen=True, slots=True)
class Enum:
    """`enum`."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flags:
    """`flags`."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A type that has no JSON form; `reason` completes "uses …"."""

    reason: str


Scalar = Bool | Integer | Float | Char | String | Enum | Flags
Type = Scalar | List | Record | Tuple | Variant | Result | Option | Unsupported

LONGEST_DESCRIPTION = 400  # characters

U8 = Integer(8, signed=False)


@dataclass(frozen=True, slots=True)
class Signature:
    """A function: its parameters in order, and its result if it has one."""

    parameters: tuple[Field, ...]
    result: Type | None


def children(kind: Type) -> Iterator[Type]:
    """Yield the types that `kind` is made of."""
    match kind:
        case List(element):
            yield element
        case Record(fields):
            yield from (each.type for each in fields)
        case Tuple(elements):
            yield from elements
        case Variant() | Result():
            yield from (case.type for case in kind.cases if case.type is not None)
        case Option(payload):
            yield payload


def find_unsupported(signature: Signature) -> str:
    """Return why this function cannot be served, or an empty string when it can."""
    waiting = [each.type for each in signature.parameters]
    if signature.result is not None:
        waiting.append(signature.result)
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, Unsupported):
            return f"it uses {kind.reason}"
        waiting.extend(children(kind))
    return ""


def describe(kind: Type | None) -> str:
    """Return the type as WIT spells it, named types by their kind: for people."""
    match kind:
        case None:
            text = "_"
        case Integer(bits, signed):
            text = f"{'s' if signed else 'u'}{bits}"
        case Float(bits):
            text = f"f{bits}"
        case List(element):
            text = f"list<{describe(element)}>"
        case Tuple(elements):
            text = f"tuple<{', '.join(describe(each) for each in elements)}>"
        case Option(payload):
            text = f"option<{describe(payload)}>"
        case Result(ok, err):
            sides = [describe(ok), describe(err)] if err is not None else [describe(ok)] if ok is not None else []
            text = f"result<{', '.join(sides)}>" if sides else "result"
        case _:
            text = type(kind).__name__.lower()
    return text


def shorten(text: str) -> str:
    """Return the text, cut where nobody would read on: nested types repeat what they hold."""
    return text if len(text) <= LONGEST_DESCRIPTION else f"{text[: LONGEST_DESCRIPTION - 1]}…"


def describe_signature(name: str, signature: Signature) -> str:
    """Return `name(a: s32) -> s32`, the description of a function that carries none."""
    parameters = ", ".join(f"{each.name}: {describe(each.type)}" for each in signature.parameters)
    arrow = f" -> {describe(signature.result)}" if signature.result is not None else ""
    return shorten(f"{name}({parameters}){arrow}")
