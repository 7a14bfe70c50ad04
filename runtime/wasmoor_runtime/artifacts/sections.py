"""The parts of a WebAssembly binary: a component, the modules and components inside it, and their custom sections.

Pure. Sources: https://webassembly.github.io/spec/core/binary/modules.html and the component model's Binary.md. The
bytes are a stranger's: no length is trusted, a part that is cut off ends there, and only what is asked for is copied.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

PREAMBLE_BYTES = 8
_COMPONENT_LAYER = b"\x01\x00"
_CUSTOM = 0
# Sections of a component that hold whole binaries, and sections of a core module that hold its bodies and data.
_CORE_MODULE, _COMPONENT = 1, 4
_CODE, _DATA, _DATA_COUNT = 10, 11, 12
_LEB_BITS = 35  # an unsigned 32-bit LEB128 has at most five groups of seven bits
_CONTINUES, _LOW_BITS = 0x80, 0x7F
_DEEPEST = 16
_MOST_PARTS = 4096
# A body without locals that traps: its size, no locals, `unreachable`, `end`.
_STUB = b"\x03\x00\x00\x0b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A component or core module and its own custom sections; inner parts stand for themselves."""

    is_component: bool
    depth: int  # 0 is the file itself
    size: int  # bytes
    custom: tuple[tuple[str, memoryview], ...]

    def find(self, name: str) -> memoryview | None:
        """Return the content of the first custom section with this name."""
        return next((content for key, content in self.custom if key == name), None)


def read_parts(data: bytes | memoryview) -> Iterator[Part]:
    """Yield the file itself, then the parts inside it, outer before inner and in their order."""
    waiting = [(memoryview(data), 0)]
    for _ in range(_MOST_PARTS):
        if not waiting:
            return
        view, depth = waiting.pop()
        is_component = view[6:PREAMBLE_BYTES] == _COMPONENT_LAYER
        sections = list(_read_sections(view))
        yield Part(
            is_component=is_component,
            depth=depth,
            size=len(view),
            custom=tuple(_read_custom(content) for kind, content in sections if kind == _CUSTOM),
        )
        if is_component and depth < _DEEPEST:
            inner = [content for kind, content in sections if kind in {_CORE_MODULE, _COMPONENT}]
            waiting.extend((content, depth + 1) for content in reversed(inner))


def render_outline(data: bytes | memoryview) -> bytes:
    """Return the same component with every function's body replaced by a trap, and without data and custom sections.

    It has the same imports, exports and types, and compiles in milliseconds where the whole takes seconds.
    """
    return _outline(memoryview(data), 0)


def _outline(view: memoryview, depth: int) -> bytes:
    is_component = view[6:PREAMBLE_BYTES] == _COMPONENT_LAYER
    parts = [bytes(view[:PREAMBLE_BYTES])]
    for kind, content in _read_sections(view):
        if kind == _CUSTOM or (not is_component and kind in {_DATA, _DATA_COUNT}):
            continue
        body = bytes(content)
        if is_component and kind in {_CORE_MODULE, _COMPONENT} and depth < _DEEPEST:
            body = _outline(content, depth + 1)
        elif not is_component and kind == _CODE:
            count, _ = read_leb(content, 0)
            body = _write_leb(count or 0) + _STUB * (count or 0)
        parts.append(bytes([kind]) + _write_leb(len(body)) + body)
    return b"".join(parts)


def _read_sections(view: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield kind and content of each section; what is cut off is left out."""
    offset = PREAMBLE_BYTES
    while offset < len(view):
        kind = view[offset]
        size, start = read_leb(view, offset + 1)
        if size is None or start + size > len(view):
            return
        yield kind, view[start : start + size]
        offset = start + size


def _read_custom(content: memoryview) -> tuple[str, memoryview]:
    """Return name and content of a custom section; one without a readable name is called ""."""
    length, start = read_leb(content, 0)
    if length is None or start + length > len(content):
        return "", content[:0]
    return bytes(content[start : start + length]).decode("utf-8", "replace"), content[start + length :]


def read_leb(data: memoryview, offset: int) -> tuple[int | None, int]:
    """Return an unsigned LEB128 number and the offset behind it; None when it does not end."""
    number = 0
    for shift in range(0, _LEB_BITS, 7):
        if offset >= len(data):
            return None, offset
        byte = data[offset]
        offset += 1
        number |= (byte & _LOW_BITS) << shift
        if byte < _CONTINUES:
            return number, offset
    return None, offset


def _write_leb(number: int) -> bytes:
    encoded = bytearray()
    while number >= _CONTINUES:
        encoded.append((number & _LOW_BITS) | _CONTINUES)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
