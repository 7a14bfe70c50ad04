from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasmoor_runtime.engine import binary
from wasmoor_runtime.errors import Stalled

PREAMBLE = b"\0asm\x0d\0\x01\0"


def custom(name: bytes, content: bytes) -> bytes:
    body = bytes([len(name)]) + name + content
    assert len(body) < 128
    return bytes([0, len(body)]) + body


def test_a_component_is_known_by_its_preamble() -> None:
    binary.check_component(PREAMBLE)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it is empty"),
        (b"#!/bin/sh\n", "#!/bin/sh"),
        (b"\0asm", "ends after 4 bytes"),
        (b"\0asm\x01\0\0\0", "core WebAssembly module"),
        (b"\0asm\x0a\0\x01\0", "version 10"),
        (b"\0asm\x0d\0\x02\0", "layer 2"),
    ],
)
def test_what_is_no_component_is_named(data: bytes, words: str) -> None:
    with pytest.raises(Stalled, match=words) as raised:
        binary.check_component(data)

    assert raised.value.reason == "NotAComponent"


def test_a_custom_section_is_found_behind_others() -> None:
    data = PREAMBLE + custom(b"other", b"x") + bytes([7, 2, 0, 0]) + custom(b"package-docs", b"\x01{}")

    assert binary.read_custom_section(data, "package-docs") == b"\x01{}"
    assert binary.read_custom_section(data, "missing") == b""


@pytest.mark.parametrize("cut", range(1, 30))
def test_a_truncated_binary_has_no_section(cut: int) -> None:
    data = PREAMBLE + custom(b"package-docs", b"0123456789abcdef")

    assert binary.read_custom_section(data[:-cut], "package-docs") == b""


@given(st.binary(max_size=200))
def test_any_bytes_can_be_searched(data: bytes) -> None:
    assert binary.read_custom_section(PREAMBLE + data, "absent-from-random-bytes") == b""
