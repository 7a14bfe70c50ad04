"""What a component imports and exports: interfaces, and functions with WIT types, schemas and descriptions.

The one place that reads wasmtime's types. Runs in the zygote, and in the processes that compile and inspect. Types come
from strangers: a type that is too large to describe, or unknown here, makes its function unsupported, never the
component.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from wasmtime import component as components

from wasmoor_runtime import ports
from wasmoor_runtime.artifacts import metadata, sections
from wasmoor_runtime.artifacts.metadata import Metadata
from wasmoor_runtime.engine.machine import Component, Engine
from wasmoor_runtime.wit import content, names, schema, types
from wasmoor_runtime.wit import docs as wit_docs

# Named types are written out wherever they are used, so a small component can have huge types.
LARGEST_SIGNATURE = 5000  # types in one signature; the large model APIs allow as many properties
DEEPEST_TYPE = 32
MOST_FUNCTIONS = 1024
_MOST_NAMES = 1024  # imports, and exports
_LONGEST_NAME = 256  # characters
LARGEST_DESCRIPTION_BYTES = 4 * 1024 * 1024  # of all schemas of a component

_EMPTY: Mapping[str, Any] = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """An exported function: how it is found in an instance, and its type."""

    interface: str | None
    name: str
    signature: types.Signature

    @property
    def id(self) -> str:
        """How front and workers name it."""
        return names.function_id(self.interface, self.name)


def inspect_exports(engine: Engine, component: Component) -> tuple[Export, ...]:
    """Return all exported functions that may be tools, in the component's own order."""
    exports = tuple(_walk(engine, component))
    return exports[:MOST_FUNCTIONS]


def describe_functions(exports: tuple[Export, ...], docs: Mapping[str, str]) -> tuple[ports.Function, ...]:
    """Return what the front needs to know of each."""
    functions = [_describe(export, docs) for export in exports]
    left = LARGEST_DESCRIPTION_BYTES
    for index, function in enumerate(functions):
        left -= len(json.dumps([function.input_schema, function.output_schema]))
        if left < 0 and not function.unsupported:
            functions[index] = _refuse(function, "the component's functions are too large to describe all of them")
    return tuple(functions)


def read_docs(data: bytes) -> Mapping[str, str]:
    """Return the descriptions that a component's bytes carry, for `describe_functions`."""
    content = next(sections.read_parts(data)).find(wit_docs.SECTION)
    return {} if content is None else wit_docs.parse_docs(bytes(content))


def build_profile(engine: Engine, component: Component, said: Metadata) -> ports.Profile:
    """Return what the component says of itself (`said`), and what it imports and exports."""
    kind = component.type
    return ports.Profile(
        name=said.name,
        version=said.version,
        language=said.language,
        imports=_names(kind.imports(engine)),
        exports=_names(kind.exports(engine)),
        packages=said.packages,
        problems=said.problems,
    )


def _names(items: Iterable[str]) -> tuple[str, ...]:
    """Return names in the component's order, as far as anybody would read them."""
    return tuple(metadata.clean(name, _LONGEST_NAME) for name in islice(items, _MOST_NAMES))


def find_missing(engine: Engine, component: Component, provided: Collection[str]) -> Iterator[str]:
    """Yield imports that nobody provides. Interfaces that hold nothing but types need nobody."""
    for name, item in component.type.imports(engine).items():
        if version_track(name) in provided:
            continue
        try:
            kind = item.ty
        except TypeError:
            continue
        if not isinstance(kind, components.ComponentInstanceType) or _needs_host(engine, kind):
            yield name


def _needs_host(engine: Engine, instance: components.ComponentInstanceType) -> bool:
    """True when an interface holds anything that somebody must provide: functions and resources."""
    provided = (components.FuncType, components.ResourceType, components.ComponentInstanceType)
    return any(isinstance(item.ty, provided) for item in instance.exports(engine).values())


def version_track(name: str) -> str:
    """Return an interface with the part of its version that compatible versions share: `wasi:io/poll@0.2`."""
    interface, separator, version = name.partition("@")
    numbers = version.split(".")
    kept = numbers[:2] if numbers[0] == "0" else numbers[:1]
    return f"{interface}@{'.'.join(kept)}" if separator else interface


def _refuse(function: ports.Function, reason: str) -> ports.Function:
    return replace(function, input_schema=_EMPTY, output_schema=_EMPTY, unsupported=reason)


def _describe(export: Export, docs: Mapping[str, str]) -> ports.Function:
    name = names.tool_name(export.id)
    unsupported = names.find_unfit(name) or types.find_unsupported(export.signature)
    usable = not unsupported
    return ports.Function(
        id=export.id,
        name=name,
        description=wit_docs.find_doc(docs, export.id) or _describe_unspoken(export, docs),
        input_schema=schema.input_schema(export.signature) if usable else _EMPTY,
        output_schema=schema.output_schema(export.signature) if usable else _EMPTY,
        unsupported=unsupported,
        content=content.is_content(export.signature),
    )


def _describe_unspoken(export: Export, docs: Mapping[str, str]) -> str:
    """Return what can be said of a function that has no description: its signature, and what surrounds it."""
    signature = types.describe_signature(export.name, export.signature)
    return "\n\n".join(filter(None, (signature, wit_docs.find_context(docs, export.id))))


def _walk(engine: Engine, component: Component) -> Iterator[Export]:
    for name, item in component.type.exports(engine).items():
        kind = _item_type(item)
        if isinstance(kind, components.FuncType):
            yield Export(interface=None, name=name, signature=_signature(kind))
        elif isinstance(kind, components.ComponentInstanceType) and names.is_tool_interface(name):
            for inner, inner_item in kind.exports(engine).items():
                function = _item_type(inner_item)
                if isinstance(function, components.FuncType):
                    yield Export(interface=name, name=inner, signature=_signature(function))


def _item_type(item: Any) -> object:
    try:
        return item.ty
    except TypeError:  # wasmtime-py does not know every kind of type that wasmtime does
        return None


def _signature(function: components.FuncType) -> types.Signature:
    translate = _Translation()
    try:
        parameters = tuple(types.Field(name, translate(kind, 0)) for name, kind in function.params)
        result = function.result
        return types.Signature(parameters, None if result is None else translate(result, 0))
    except TypeError:
        return types.Signature((types.Field("?", types.Unsupported("a type that this runtime does not know")),), None)


class _Translation:
    """Turns wasmtime's types into ours within the budget of one signature."""

    def __init__(self) -> None:
        self._left = LARGEST_SIGNATURE

    def __call__(self, kind: Any, depth: int) -> types.Type:
        self._left -= 1
        if self._left < 0 or depth > DEEPEST_TYPE:
            return types.Unsupported("types that are too large or too deep to describe")
        simple = _SIMPLE.get(type(kind))
        if simple is not None:
            return simple
        compound = _COMPOUND.get(type(kind))
        if compound is None:
            return types.Unsupported(f"a type that this runtime does not know ({type(kind).__name__})")
        return compound(kind, lambda inner: self(inner, depth + 1))

    @staticmethod
    def optional(kind: Any, translate: Callable[[Any], types.Type]) -> types.Type | None:
        """Translate a type that may be absent."""
        return None if kind is None else translate(kind)


_optional = _Translation.optional

_SIMPLE: dict[type, types.Type] = {
    components.Bool: types.Bool(),
    components.S8: types.Integer(8, signed=True),
    components.S16: types.Integer(16, signed=True),
    components.S32: types.Integer(32, signed=True),
    components.S64: types.Integer(64, signed=True),
    components.U8: types.U8,
    components.U16: types.Integer(16, signed=False),
    components.U32: types.Integer(32, signed=False),
    components.U64: types.Integer(64, signed=False),
    components.F32: types.Float(32),
    components.F64: types.Float(64),
    components.Char: types.Char(),
    components.String: types.String(),
    components.ErrorContext: types.Unsupported("an error-context, which has no JSON form"),
    components.OwnType: types.Unsupported("a resource, which has no JSON form"),
    components.BorrowType: types.Unsupported("a borrowed resource, which has no JSON form"),
    components.FutureType: types.Unsupported("a future, which has no JSON form"),
    components.StreamType: types.Unsupported("a stream, which has no JSON form"),
}

_COMPOUND: dict[type, Callable[[Any, Callable[[Any], types.Type]], types.Type]] = {
    components.ListType: lambda kind, inner: types.List(inner(kind.element)),
    components.RecordType: lambda kind, inner: types.Record(
        tuple(types.Field(name, inner(each)) for name, each in kind.fields)
    ),
    components.TupleType: lambda kind, inner: types.Tuple(tuple(inner(each) for each in kind.elements)),
    components.VariantType: lambda kind, inner: types.Variant(
        tuple(types.Case(tag, _optional(each, inner)) for tag, each in kind.cases)
    ),
    components.ResultType: lambda kind, inner: types.Result(_optional(kind.ok, inner), _optional(kind.err, inner)),
    components.OptionType: lambda kind, inner: types.Option(inner(kind.payload)),
    components.EnumType: lambda kind, _inner: types.Enum(tuple(kind.names)),
    components.FlagsType: lambda kind, _inner: types.Flags(tuple(kind.names)),
}
