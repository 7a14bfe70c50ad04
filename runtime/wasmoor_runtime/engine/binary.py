"""Whether a WebAssembly binary is a component, and what it is instead.

Pure. Sources: https://webassembly.github.io/spec/core/binary/modules.html and the component model's Binary.md
(preamble: magic, 16-bit version, 16-bit layer; layer 0 is a core module, 1 a component).
"""

from __future__ import annotations

from wasmoor_runtime.errors import Stalled

MAGIC = b"\0asm"
_PREAMBLE_BYTES = 8
_CORE_LAYER = 0
_COMPONENT_LAYER = 1
_COMPONENT_VERSION = 0x0D


def check_component(data: bytes) -> None:
    """Raise `Stalled` (NotAComponent) with what this is instead, unless it is a component by its preamble."""
    if not data.startswith(MAGIC):
        raise Stalled("NotAComponent", f"this is no WebAssembly: it starts with {_excerpt(data)}")
    layer = int.from_bytes(data[6:8], "little")
    version = int.from_bytes(data[4:6], "little")
    if len(data) < _PREAMBLE_BYTES:
        raise Stalled("NotAComponent", f"this WebAssembly file ends after {len(data)} bytes")
    if layer == _CORE_LAYER:
        raise Stalled(
            "NotAComponent",
            "this is a core WebAssembly module, not a component: make one of it with `wasm-tools component new`, or "
            "build for a component target such as wasm32-wasip2",
        )
    if layer != _COMPONENT_LAYER or version != _COMPONENT_VERSION:
        raise Stalled(
            "NotAComponent",
            f"this component is encoded in version {version}, layer {layer}; version {_COMPONENT_VERSION}, layer "
            f"{_COMPONENT_LAYER} is needed: rebuild it with current tools",
        )


def _excerpt(data: bytes) -> str:
    return repr(data[:16].decode("latin-1")) if data else "nothing, it is empty"
