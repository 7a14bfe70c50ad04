"""The form that the CRD demands of references takes everything that the grammar takes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasmoor_operator.api import references as form
from wasmoor_runtime.artifacts import references as grammar

DIGEST = "sha256:" + "0" * 64

GOOD = [
    "ghcr.io/acme/time:1.2.0",
    f"ghcr.io/acme/time@{DIGEST}",
    f"ghcr.io/acme/time:1.2.0@{DIGEST}",
    "localhost:5000/examples/text:0.1.0",
    "GHCR.io/a/b:1",
    "[::1]:5000/a:1",
    "team/time:latest",
    "time:1",
    "10.0.0.1:5000/a/b_c/d--e:1",
]
BAD = [
    "https://ghcr.io/a/b:1",
    "ghcr.io/a/b@sha256:12",
    "ghcr.io/A/b:1",
    "a b:1",
    "a//b:1",
    "a/b:",
    "",
    "localhost:5000/b",
]


def has_form(reference: str) -> bool:
    """Say what the CEL rules say."""
    whole = re.fullmatch(form.REFERENCE_PATTERN, reference) is not None
    return whole and re.search(form.TAGGED_PATTERN, reference.rpartition("/")[2]) is not None


@pytest.mark.parametrize("reference", GOOD)
def test_good_references_pass_both(reference: str) -> None:
    grammar.parse_reference(reference)
    assert has_form(reference)


@pytest.mark.parametrize("reference", BAD)
def test_bad_references_pass_neither(reference: str) -> None:
    assert not has_form(reference)
    with pytest.raises(ValueError, match=r"write|leave"):
        grammar.parse_reference(reference)


PIECES = st.sampled_from(
    ["a", "b-c", "d__e", "F", "1", "localhost", "x.y", ":", ":5000", "/", "@", DIGEST, "-", "[::1]"]
)


@given(st.lists(PIECES, max_size=8).map("".join))
def test_what_the_grammar_takes_has_the_form(reference: str) -> None:
    try:
        grammar.parse_reference(reference)
    except ValueError:
        return
    assert has_form(reference)


def test_a_long_hostile_reference_is_judged_at_once() -> None:
    assert not has_form("a-" * 255 + "!")
