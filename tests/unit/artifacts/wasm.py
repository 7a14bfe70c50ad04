"""Binaries for tests: a component with the custom sections a test wants, and modules inside it."""

from __future__ import annotations

from collections.abc import Sequence

COMPONENT = b"\0asm\x0d\0\x01\0"
MODULE = b"\0asm\x01\0\0\0"


def leb(number: int) -> bytes:
    encoded = bytearray()
    while number >= 128:
        encoded.append(number & 127 | 128)
        number >>= 7
    return bytes([*encoded, number])


def text(value: str) -> bytes:
    return leb(len(value.encode())) + value.encode()


def section(kind: int, content: bytes) -> bytes:
    return bytes([kind]) + leb(len(content)) + content


def custom(name: str, content: bytes) -> bytes:
    return section(0, text(name) + content)


def name_section(kind: str, name: str) -> bytes:
    return custom(kind, b"\0" + leb(len(text(name))) + text(name))


def producers(*fields: tuple[str, Sequence[tuple[str, str]]]) -> bytes:
    content = leb(len(fields))
    for field, pairs in fields:
        content += text(field) + leb(len(pairs)) + b"".join(text(name) + text(version) for name, version in pairs)
    return custom("producers", content)


def component(*parts: bytes) -> bytes:
    return COMPONENT + b"".join(parts)


def module(*parts: bytes) -> bytes:
    """Return a core module as a component's section."""
    return section(1, MODULE + b"".join(parts))
