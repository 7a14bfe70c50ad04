"""Descriptions that a component carries: the `package-docs` custom section.

Pure. The section is one byte (the version, 1) and a JSON document that `wasm-tools component wit --wasm` and `wkg`
write: `{"worlds": {world: {"func_exports": {function: {"docs": …}}}}, "interfaces": {interface: {"funcs": …}}}`.
Source: wit-parser's `PackageMetadata`. It is written by strangers: whatever is not as expected is ignored.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

SECTION = "package-docs"
_VERSION = 1
_LONGEST = 4096  # characters of one description


def parse_docs(section: bytes) -> dict[str, str]:
    """Return descriptions by `function` for worlds and by `interface#function` for interfaces (short names).

    What is said of a whole interface has the key `interface#`; of a whole world, the key is empty.
    """
    if not section or section[0] != _VERSION:
        return {}
    try:
        document = json.loads(section[1:])
    except (ValueError, RecursionError):
        return {}
    return dict(_walk(document))


def find_doc(docs: Mapping[str, str], identity: str) -> str:
    """Return the description of a function id, or an empty string."""
    interface, function = _split(identity)
    return docs.get(f"{interface}{function}", "")


def find_context(docs: Mapping[str, str], identity: str) -> str:
    """Return what is said of the interface or world that a function is part of, or an empty string."""
    return docs.get(_split(identity)[0], "")


def _split(identity: str) -> tuple[str, str]:
    """Return the short name of a function id's interface with a `#`, empty for a world's own, and the function."""
    interface, separator, function = identity.rpartition("#")
    short = interface.rpartition("/")[2].partition("@")[0]
    return f"{short}{separator}", function


def _walk(document: object) -> Iterator[tuple[str, str]]:
    for _, world in _items(document, "worlds"):
        yield from _doc("", world)
        for name, function in _items(world, "func_exports"):
            yield from _doc(name, function)
        for interface, body in _items(world, "interface_exports"):
            yield from _doc(f"{interface}#", body)
            for name, function in _items(body, "funcs"):
                yield from _doc(f"{interface}#{name}", function)
    for interface, body in _items(document, "interfaces"):
        yield from _doc(f"{interface}#", body)
        for name, function in _items(body, "funcs"):
            yield from _doc(f"{interface}#{name}", function)


def _items(document: object, key: str) -> Iterator[tuple[str, Any]]:
    inner = document.get(key) if isinstance(document, dict) else None
    if isinstance(inner, dict):
        yield from inner.items()


def _doc(key: str, function: object) -> Iterator[tuple[str, str]]:
    text = function.get("docs") if isinstance(function, dict) else None
    if isinstance(text, str) and text.strip():
        yield key, text.strip()[:_LONGEST]
