"""The first eight bytes of a WebAssembly binary: magic, version, layer. They decide, a media type does not. Pure.

https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md
"""

from __future__ import annotations

from enum import StrEnum

from wasmoor_runtime.artifacts.refusals import Refusal
from wasmoor_runtime.contract.status import Reason

LENGTH = 8
_MAGIC = b"\0asm"
_MODULE = b"\x01\x00\x00\x00"
_COMPONENT = b"\x0d\x00\x01\x00"


class Kind(StrEnum):
    """What a file is."""

    COMPONENT = "component"
    MODULE = "core module"
    OTHER_VERSION = "WebAssembly of another version"
    NOT_WASM = "not WebAssembly"


def decide_kind(head: bytes) -> Kind:
    """Return what a file with these first bytes is."""
    if head[:4] != _MAGIC or len(head) < LENGTH:
        return Kind.NOT_WASM
    return {_COMPONENT: Kind.COMPONENT, _MODULE: Kind.MODULE}.get(head[4:LENGTH], Kind.OTHER_VERSION)


_ADVICE = {
    Kind.MODULE: "is a core WebAssembly module, not a component; build it for wasm32-wasip2,"
    " or wrap it with `wasm-tools component new`",
    Kind.OTHER_VERSION: "is WebAssembly in a version of the binary format that is not known here; build it with current"
    " tools",
    Kind.NOT_WASM: "is not WebAssembly (it does not start with \\0asm); push the .wasm file of a component",
}


def check_component(head: bytes, subject: str) -> None:
    """Raise `Refusal` with NotAComponent, saying what it is instead, unless these are a component's first bytes."""
    kind = decide_kind(head)
    if kind is not Kind.COMPONENT:
        raise Refusal(Reason.NOT_A_COMPONENT, f"{subject} {_ADVICE[kind]}")
