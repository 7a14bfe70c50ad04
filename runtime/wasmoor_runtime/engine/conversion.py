"""Neutral values (`wit.values`) to wasmtime's C values and back.

wasmtime-py's own conversion is not used: it tells the cases of a variant apart by Python types (a `bool` passes for an
integer, `none` for anything), asks wasmtime for every type again on every call, and moves `list<u8>` byte by byte. This
module uses wasmtime-py's private bindings instead; wasmtime is pinned and `tests/integration/workers/test_values.py`
sends every kind of value through a real component.

Ownership: a lowered value belongs to the caller until `delete_value`; lifting copies. Values must have passed
`wit.values`: nothing is checked again here.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import byref
from typing import Any

from wasmtime import _ffi as ffi

from wasmoor_runtime.wit import types
from wasmoor_runtime.wit.values import NONE, Tagged

Value = ffi.wasmtime_component_val_t
delete_value = ffi.wasmtime_component_val_delete

Lower = Callable[[Any, Any], None]  # (C value to fill, neutral value)
Lift = Callable[[Any], Any]  # (C value) -> neutral value

_STRIDE = ctypes.sizeof(Value)
_KIND = Value.kind.offset
_PAYLOAD = Value.of.offset
_CHUNK = 64 * 1024  # elements of a list<u8> that are laid out at a time

# wasmtime's kind and the field of the C union, by type of number.
_INTEGERS: dict[tuple[int, bool], tuple[int, str]] = {
    (8, True): (ffi.WASMTIME_COMPONENT_S8.value, "s8"),
    (8, False): (ffi.WASMTIME_COMPONENT_U8.value, "u8"),
    (16, True): (ffi.WASMTIME_COMPONENT_S16.value, "s16"),
    (16, False): (ffi.WASMTIME_COMPONENT_U16.value, "u16"),
    (32, True): (ffi.WASMTIME_COMPONENT_S32.value, "s32"),
    (32, False): (ffi.WASMTIME_COMPONENT_U32.value, "u32"),
    (64, True): (ffi.WASMTIME_COMPONENT_S64.value, "s64"),
    (64, False): (ffi.WASMTIME_COMPONENT_U64.value, "u64"),
}
_FLOATS: dict[int, tuple[int, str]] = {
    32: (ffi.WASMTIME_COMPONENT_F32.value, "f32"),
    64: (ffi.WASMTIME_COMPONENT_F64.value, "f64"),
}


def lowering(kind: types.Type) -> Lower:
    """Return a function that fills a C value with a neutral value of this type."""
    return _LOWERINGS[type(kind)](kind)


def lifting(kind: types.Type) -> Lift:
    """Return a function that copies a neutral value of this type out of a C value."""
    return _LIFTINGS[type(kind)](kind)


def _fill_text(target: Any, text: str) -> None:
    data = text.encode()
    ffi.wasm_byte_vec_new_uninitialized(byref(target), len(data))
    ctypes.memmove(target.data, data, len(data))


def _text(source: Any) -> str:
    return ctypes.string_at(source.data, source.size).decode()


def _box(lower: Lower, value: Any) -> Any:
    """Return a pointer to a new C value on wasmtime's heap."""
    inner = Value()
    lower(inner, value)
    return ffi.wasmtime_component_val_new(byref(inner))


def _lower_scalar(kind: int, field: str) -> Lower:
    def lower(target: Any, value: Any) -> None:
        target.kind = kind
        setattr(target.of, field, value)

    return lower


def _lift_scalar(field: str) -> Lift:
    def lift(source: Any) -> Any:
        return getattr(source.of, field)

    return lift


def _lower_char(target: Any, value: str) -> None:
    target.kind = ffi.WASMTIME_COMPONENT_CHAR.value
    target.of.character = ord(value)


def _lower_string(target: Any, value: str) -> None:
    target.kind = ffi.WASMTIME_COMPONENT_STRING.value
    _fill_text(target.of.string, value)


def _lower_enum(target: Any, value: str) -> None:
    target.kind = ffi.WASMTIME_COMPONENT_ENUM.value
    _fill_text(target.of.enumeration, value)


def _lower_flags(target: Any, value: frozenset[str]) -> None:
    flags = target.of.flags
    ffi.wasmtime_component_valflags_new_uninit(byref(flags), len(value))
    for index, name in enumerate(value):
        _fill_text(flags.data[index], name)
    target.kind = ffi.WASMTIME_COMPONENT_FLAGS.value


def _lower_bytes(target: Any, value: bytes) -> None:
    """Lay out bytes as C values by strided copies: 3 MB one by one would take seconds."""
    values = target.of.list
    ffi.wasmtime_component_vallist_new_uninit(byref(values), len(value))
    address = ctypes.addressof(values.data.contents) if value else 0
    kind = bytes([ffi.WASMTIME_COMPONENT_U8.value])
    for start in range(0, len(value), _CHUNK):
        chunk = value[start : start + _CHUNK]
        laid_out = bytearray(len(chunk) * _STRIDE)
        laid_out[_KIND::_STRIDE] = kind * len(chunk)
        laid_out[_PAYLOAD::_STRIDE] = chunk
        ctypes.memmove(address + start * _STRIDE, (ctypes.c_char * len(laid_out)).from_buffer(laid_out), len(laid_out))
    target.kind = ffi.WASMTIME_COMPONENT_LIST.value


def _lift_bytes(source: Any) -> bytes:
    values = source.of.list
    if not values.size:
        return b""
    address = ctypes.addressof(values.data.contents)
    lifted = bytearray()
    for start in range(0, values.size, _CHUNK):
        count = min(_CHUNK, values.size - start)
        lifted += ctypes.string_at(address + start * _STRIDE, count * _STRIDE)[_PAYLOAD::_STRIDE]
    return bytes(lifted)


def _lowering_list(kind: types.List) -> Lower:
    if kind.is_bytes:
        return _lower_bytes
    element = lowering(kind.element)

    def lower(target: Any, value: list[Any]) -> None:
        values = target.of.list
        ffi.wasmtime_component_vallist_new_uninit(byref(values), len(value))
        data = values.data
        for index, each in enumerate(value):
            element(data[index], each)
        target.kind = ffi.WASMTIME_COMPONENT_LIST.value

    return lower


def _lifting_list(kind: types.List) -> Lift:
    if kind.is_bytes:
        return _lift_bytes
    element = lifting(kind.element)

    def lift(source: Any) -> list[Any]:
        values = source.of.list
        data = values.data
        return [element(data[index]) for index in range(values.size)]

    return lift


def _lowering_record(kind: types.Record) -> Lower:
    fields = [(each.name, lowering(each.type)) for each in kind.fields]

    def lower(target: Any, value: dict[str, Any]) -> None:
        record = target.of.record
        ffi.wasmtime_component_valrecord_new_uninit(byref(record), len(fields))
        for index, (name, inner) in enumerate(fields):
            entry = record.data[index]
            inner(entry.val, value[name])
            _fill_text(entry.name, name)
        target.kind = ffi.WASMTIME_COMPONENT_RECORD.value

    return lower


def _lifting_record(kind: types.Record) -> Lift:
    fields = [(each.name, lifting(each.type)) for each in kind.fields]

    def lift(source: Any) -> dict[str, Any]:
        data = source.of.record.data
        return {name: inner(data[index].val) for index, (name, inner) in enumerate(fields)}

    return lift


def _lowering_tuple(kind: types.Tuple) -> Lower:
    elements = [lowering(each) for each in kind.elements]

    def lower(target: Any, value: tuple[Any, ...]) -> None:
        values = target.of.tuple
        ffi.wasmtime_component_valtuple_new_uninit(byref(values), len(elements))
        for index, inner in enumerate(elements):
            inner(values.data[index], value[index])
        target.kind = ffi.WASMTIME_COMPONENT_TUPLE.value

    return lower


def _lifting_tuple(kind: types.Tuple) -> Lift:
    elements = [lifting(each) for each in kind.elements]

    def lift(source: Any) -> tuple[Any, ...]:
        data = source.of.tuple.data
        return tuple(inner(data[index]) for index, inner in enumerate(elements))

    return lift


def _lowering_variant(kind: types.Variant) -> Lower:
    cases = {case.tag: None if case.type is None else lowering(case.type) for case in kind.cases}

    def lower(target: Any, value: Tagged) -> None:
        inner = cases[value.tag]
        variant = target.of.variant
        _fill_text(variant.discriminant, value.tag)
        variant.val = None if inner is None else _box(inner, value.payload)
        target.kind = ffi.WASMTIME_COMPONENT_VARIANT.value

    return lower


def _lifting_variant(kind: types.Variant) -> Lift:
    cases = {case.tag: None if case.type is None else lifting(case.type) for case in kind.cases}

    def lift(source: Any) -> Tagged:
        variant = source.of.variant
        tag = _text(variant.discriminant)
        inner = cases[tag]
        return Tagged(tag, None if inner is None else inner(variant.val.contents))

    return lift


def _lowering_result(kind: types.Result) -> Lower:
    cases = {case.tag: None if case.type is None else lowering(case.type) for case in kind.cases}

    def lower(target: Any, value: Tagged) -> None:
        inner = cases[value.tag]
        result = target.of.result
        result.is_ok = value.tag == "ok"
        result.val = None if inner is None else _box(inner, value.payload)
        target.kind = ffi.WASMTIME_COMPONENT_RESULT.value

    return lower


def _lifting_result(kind: types.Result) -> Lift:
    cases = {case.tag: None if case.type is None else lifting(case.type) for case in kind.cases}

    def lift(source: Any) -> Tagged:
        result = source.of.result
        tag = "ok" if result.is_ok else "err"
        inner = cases[tag]
        return Tagged(tag, None if inner is None else inner(result.val.contents))

    return lift


def _lowering_option(kind: types.Option) -> Lower:
    inner = lowering(kind.payload)

    def lower(target: Any, value: Tagged) -> None:
        target.of.option = None if value.tag == "none" else _box(inner, value.payload)
        target.kind = ffi.WASMTIME_COMPONENT_OPTION.value

    return lower


def _lifting_option(kind: types.Option) -> Lift:
    inner = lifting(kind.payload)

    def lift(source: Any) -> Tagged:
        option = source.of.option
        return Tagged("some", inner(option.contents)) if option else NONE

    return lift


def _lift_flags(source: Any) -> frozenset[str]:
    flags = source.of.flags
    return frozenset(_text(flags.data[index]) for index in range(flags.size))


_LOWERINGS: dict[type, Callable[[Any], Lower]] = {
    types.Bool: lambda _: _lower_scalar(ffi.WASMTIME_COMPONENT_BOOL.value, "boolean"),
    types.Integer: lambda kind: _lower_scalar(*_INTEGERS[kind.bits, kind.signed]),
    types.Float: lambda kind: _lower_scalar(*_FLOATS[kind.bits]),
    types.Char: lambda _: _lower_char,
    types.String: lambda _: _lower_string,
    types.List: _lowering_list,
    types.Record: _lowering_record,
    types.Tuple: _lowering_tuple,
    types.Variant: _lowering_variant,
    types.Result: _lowering_result,
    types.Option: _lowering_option,
    types.Enum: lambda _: _lower_enum,
    types.Flags: lambda _: _lower_flags,
}

_LIFTINGS: dict[type, Callable[[Any], Lift]] = {
    types.Bool: lambda _: _lift_scalar("boolean"),
    types.Integer: lambda kind: _lift_scalar(_INTEGERS[kind.bits, kind.signed][1]),
    types.Float: lambda kind: _lift_scalar(_FLOATS[kind.bits][1]),
    types.Char: lambda _: lambda source: chr(source.of.character),
    types.String: lambda _: lambda source: _text(source.of.string),
    types.List: _lifting_list,
    types.Record: _lifting_record,
    types.Tuple: _lifting_tuple,
    types.Variant: _lifting_variant,
    types.Result: _lifting_result,
    types.Option: _lifting_option,
    types.Enum: lambda _: lambda source: _text(source.of.enumeration),
    types.Flags: lambda _: _lift_flags,
}
