from __future__ import annotations

import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.artifacts.wasm import COMPONENT, component, custom, module, name_section, producers
from wasmoor_runtime.artifacts import metadata
from wasmoor_runtime.artifacts.metadata import Producer
from wasmoor_runtime.artifacts.packages import Package


def test_everything_a_component_says_of_itself_is_read() -> None:
    words = {
        "version": "1.2.3",
        "description": "Tells the time.",
        "authors": "Ada <ada@example.com>",
        "licenses": "Apache-2.0",
        "source": "https://example.com/time.git",
        "homepage": "https://example.com",
        "revision": "0123abcd",
    }
    data = component(
        name_section("component-name", "time"),
        *(custom(name, text.encode()) for name, text in words.items()),
        producers(("language", [("Rust", "2024")]), ("processed-by", [("wit-component", "0.245.1")])),
    )

    said = metadata.parse_metadata(data)

    assert {name: getattr(said, name) for name in words} == words
    assert (said.name, said.language) == ("time", "Rust")
    assert said.producers == (
        Producer(field="language", name="Rust", version="2024"),
        Producer(field="processed-by", name="wit-component", version="0.245.1"),
    )
    assert [section.name for section in said.sections] == ["component-name", *words, "producers"]


def test_a_component_that_says_nothing_has_empty_metadata() -> None:
    assert metadata.parse_metadata(COMPONENT) == metadata.Metadata()


@pytest.mark.parametrize(
    ("parts", "language"),
    [
        ([producers(("language", [("rust", "")]))], "Rust"),
        ([producers(("language", [("Zig", "0.14")]))], "Zig"),
        ([module(name_section("name", "libpython3.14.so")), module(producers(("language", [("Rust", "")])))], "Python"),
        ([module(producers(("processed-by", [("wit-bindgen-rust", "0.45.0")])))], "Rust"),
        ([module(producers(("language", [("C11", "")])))], "C11"),
        ([], ""),
    ],
)
def test_the_language_is_the_component_s_own_word_or_what_its_parts_show(parts: list[bytes], language: str) -> None:
    assert metadata.parse_metadata(component(*parts)).language == language


def test_texts_are_cut_and_cannot_steer_a_terminal() -> None:
    said = metadata.parse_metadata(
        component(custom("description", b"\x1b[31mred\x07\r\n" + b"x" * 9999), custom("version", b"\xff1\x00"))
    )

    assert said.description.startswith("[31mred x")
    assert len(said.description) == 1024
    assert said.version == "\N{REPLACEMENT CHARACTER}1"


def test_packages_of_all_lists_and_parts_are_put_together() -> None:
    cargo = zlib.compress(json.dumps({"packages": [{"name": "serde", "version": "1.0.0"}]}).encode())
    bill = {"bomFormat": "CycloneDX", "components": [{"name": "left-pad", "purl": "pkg:npm/left-pad@1.3.0"}]}
    data = component(custom("sbom", json.dumps(bill).encode()), module(custom(".dep-v0", cargo)))

    assert metadata.parse_metadata(data).packages == (
        Package(ecosystem="crates.io", name="serde", version="1.0.0"),
        Package(ecosystem="npm", name="left-pad", version="1.3.0"),
    )


def test_a_list_that_cannot_be_read_is_a_problem_not_an_empty_list() -> None:
    said = metadata.parse_metadata(component(module(custom(".dep-v0", b"damaged"))))

    assert said.packages == ()
    assert ".dep-v0 cannot be read" in said.problems[0]


@given(st.binary(max_size=100), st.sampled_from(["producers", "component-name", ".dep-v0", "sbom", "version"]))
def test_whatever_a_section_holds_nothing_is_raised(content: bytes, name: str) -> None:
    metadata.parse_metadata(component(custom(name, content), module(custom(name, content))))
