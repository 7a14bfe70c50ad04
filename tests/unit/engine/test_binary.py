from __future__ import annotations

import pytest

from wasmoor_runtime.engine import binary
from wasmoor_runtime.errors import Stalled

PREAMBLE = b"\0asm\x0d\0\x01\0"


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
