from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.artifacts.wasm import COMPONENT, component, custom, module, section
from wasmoor_runtime.artifacts import sections


def test_parts_come_outer_before_inner_with_their_own_custom_sections() -> None:
    inner = section(4, component(custom("c", b"3")))
    data = component(custom("a", b"1"), module(custom("b", b"2")), inner, custom("a", b"again"))

    parts = list(sections.read_parts(data))

    assert [(part.is_component, part.depth, [name for name, _ in part.custom]) for part in parts] == [
        (True, 0, ["a", "a"]),
        (False, 1, ["b"]),
        (True, 1, ["c"]),
    ]
    found = parts[0].find("a")
    assert found is not None
    assert bytes(found) == b"1"
    assert parts[0].find("missing") is None


def test_components_within_components_end_at_a_bound() -> None:
    data = component()
    for _ in range(100):
        data = component(section(4, data))

    assert max(part.depth for part in sections.read_parts(data)) == 16


@pytest.mark.parametrize("cut", range(1, 30))
def test_a_truncated_binary_has_no_section(cut: int) -> None:
    data = component(custom("package-docs", b"0123456789abcdef"))

    assert next(sections.read_parts(data[:-cut])).find("package-docs") is None


@given(st.binary(max_size=200))
def test_any_bytes_can_be_read_and_outlined(data: bytes) -> None:
    assert all(part.depth <= 16 for part in sections.read_parts(COMPONENT + data))
    assert sections.render_outline(COMPONENT + data).startswith(COMPONENT)


def test_an_outline_has_no_bodies_data_or_custom_sections() -> None:
    bodies = section(10, b"\x02" + b"\x04\x00\x41\x00\x0b" + b"\x02\x00\x0b")
    data = component(custom("a", b"1"), module(section(3, b"\x02\x00\x00"), bodies, section(11, b"\x00")))

    stubs = section(10, b"\x02" + b"\x03\x00\x00\x0b" * 2)

    assert sections.render_outline(data) == component(module(section(3, b"\x02\x00\x00"), stubs))
