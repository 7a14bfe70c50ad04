"""What toolchains leave out of a component: its name, version, licence, and the doc comments of its WIT.

Called by build.py. The comments are the custom section `package-docs`, which `wasm-tools` writes for a WIT package
but not for a component; runtimes describe tools with it.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from toolbox import BuildError, Toolbox

LICENSE = "Apache-2.0"
PREAMBLE_BYTES = 8
CUSTOM_SECTION = 0


def describe_component(tools: Toolbox, wit: Path, component: Path) -> None:
    """Write into a component, in place, what the WIT in that folder says about it."""
    wasm_tools = tools.python_tool("wasm-tools")
    package, named = component.with_suffix(".package"), component.with_suffix(".named")
    tools.run([wasm_tools, "component", "wit", "--wasm", wit, "-o", package])
    section = read_custom_section(package.read_bytes(), b"package-docs")
    # After the section's name comes one byte of version, then JSON.
    start = section.index(b"{")
    (world,) = json.loads(section[start:])["worlds"].values()
    # A component's world is always called `root`; wasm-tools refuses comments on any other.
    section = section[:start] + json.dumps({"worlds": {"root": world}}).encode()
    name, version = parse_identity("".join(path.read_text("utf-8") for path in sorted(wit.glob("*.wit"))))
    labels = {"--name": name, "--version": version, "--description": world["docs"], "--licenses": LICENSE}
    options = [word for label in labels.items() for word in label]
    tools.run([wasm_tools, "metadata", "add", component, "-o", named, *options])
    component.write_bytes(named.read_bytes() + bytes([CUSTOM_SECTION]) + encode_leb128(len(section)) + section)


def parse_identity(wit: str) -> tuple[str, str]:
    """Return name and version of a WIT package: `package examples:text@0.1.0;` is text, 0.1.0."""
    found = re.search(r"^package [\w-]+:([\w-]+)@([\w.+-]+);", wit, re.MULTILINE)
    if found is None:
        raise BuildError("the WIT names no package with a version")
    return found[1], found[2]


def read_custom_section(wasm: bytes, wanted: bytes) -> bytes:
    """Return the content of a custom section, which begins with its name."""
    for content in iterate_custom_sections(wasm):
        length, start = decode_leb128(content, 0)
        if content[start : start + length] == wanted:
            return content
    raise BuildError(f"the WIT has no doc comments: there is no section {wanted.decode()}")


def iterate_custom_sections(wasm: bytes) -> Iterator[bytes]:
    """Yield the contents of the outermost custom sections of a binary."""
    position = PREAMBLE_BYTES
    while position < len(wasm):
        kind = wasm[position]
        size, start = decode_leb128(wasm, position + 1)
        position = start + size
        if kind == CUSTOM_SECTION:
            yield wasm[start:position]


def decode_leb128(data: bytes, position: int) -> tuple[int, int]:
    """Return the unsigned LEB128 number at a position, and the position after it."""
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if not byte & 0x80:
            return value, position


def encode_leb128(value: int) -> bytes:
    """Return a number as unsigned LEB128."""
    encoded = bytearray()
    while value & ~0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
