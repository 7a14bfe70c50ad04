"""What can be told from a WebAssembly binary without an engine: its kind and its custom sections.

Pure. Sources: https://webassembly.github.io/spec/core/binary/modules.html and the component model's Binary.md
(preamble: magic, 16-bit version, 16-bit layer; layer 0 is a core module, 1 a component). The bytes are a stranger's:
nothing here trusts a length.
"""

from __future__ import annotations

from wasmoor_runtime.errors import Stalled

MAGIC = b"\0asm"
_PREAMBLE_BYTES = 8
_CORE_LAYER = 0
_COMPONENT_LAYER = 1
_COMPONENT_VERSION = 0x0D
_CUSTOM_SECTION = 0
_LEB_BITS = 35  # an unsigned 32-bit LEB128 has at most five groups of seven bits


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


def read_custom_section(data: bytes, name: str) -> bytes:
    """Return the content of the first outermost custom section with this name, or nothing."""
    wanted = name.encode()
    offset = _PREAMBLE_BYTES
    while offset < len(data):
        kind = data[offset]
        size, start = _read_leb(data, offset + 1)
        if size is None or start + size > len(data):
            return b""
        if kind == _CUSTOM_SECTION:
            length, text = _read_leb(data, start)
            if length is not None and data[text : text + length] == wanted:
                return data[text + length : start + size]
        offset = start + size
    return b""


def _excerpt(data: bytes) -> str:
    return repr(data[:16].decode("latin-1")) if data else "nothing, it is empty"


def _read_leb(data: bytes, offset: int) -> tuple[int | None, int]:
    """Return an unsigned LEB128 number and the offset behind it; None when it does not end."""
    number = 0
    for shift in range(0, _LEB_BITS, 7):
        if offset >= len(data):
            return None, offset
        byte = data[offset]
        offset += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the top bit says that more follow
            return number, offset
    return None, offset
