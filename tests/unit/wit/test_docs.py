from __future__ import annotations

import json

import pytest

from wasmoor_runtime.wit import docs

SECTION = (
    b"\x01"
    + json.dumps(
        {
            "worlds": {
                "clock": {
                    "func_exports": {"now": {"docs": " The time.\n"}, "quiet": {}},
                    "interface_exports": {"inline": {"funcs": {"go": {"docs": "Goes."}}}},
                }
            },
            "interfaces": {"api": {"docs": "An interface.", "funcs": {"get-time": {"docs": "Also the time."}}}},
        }
    ).encode()
)


@pytest.mark.parametrize(
    ("identity", "text"),
    [
        ("now", "The time."),
        ("acme:clock/api@1.0.0#get-time", "Also the time."),
        ("inline#go", "Goes."),
        ("quiet", ""),
        ("get-time", ""),
    ],
)
def test_a_function_finds_its_description(identity: str, text: str) -> None:
    assert docs.find_doc(docs.parse_docs(SECTION), identity) == text


@pytest.mark.parametrize(
    "section",
    [
        b"",
        b"\x02{}",
        b"\x01",
        b"\x01{",
        b"\x01[]",
        b'\x01{"worlds": 1}',
        b"\x01\xff",
        b"\x01" + b"[" * 100_000,
        b'\x01{"worlds": {"w": {"func_exports": {"f": {"docs": 7}, "g": 1}}}}',
    ],
    ids=range(9),
)
def test_a_section_that_is_not_as_expected_describes_nothing(section: bytes) -> None:
    assert docs.parse_docs(section) == {}


def test_a_description_is_cut_where_it_would_be_a_burden() -> None:
    section = b"\x01" + json.dumps({"interfaces": {"a": {"funcs": {"f": {"docs": "x" * 10_000}}}}}).encode()

    assert len(docs.find_doc(docs.parse_docs(section), "a#f")) == 4096


def test_what_is_said_of_an_interface_or_world_is_the_context_of_its_functions() -> None:
    section = (
        b"\x01"
        + json.dumps(
            {
                "worlds": {"tools": {"docs": "Everything about time.", "func_exports": {"now": {"docs": "The time."}}}},
                "interfaces": {"zones": {"docs": "About time zones."}},
            }
        ).encode()
    )
    known = docs.parse_docs(section)

    assert docs.find_context(known, "acme:clock/zones@1.0.0#list") == "About time zones."
    assert docs.find_context(known, "now") == "Everything about time."
    assert docs.find_doc(known, "now") == "The time."
    assert docs.find_doc(known, "acme:clock/zones@1.0.0#list") == ""
    assert docs.find_context(known, "acme:clock/other#list") == ""
