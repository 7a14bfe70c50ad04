"""The grammar of references."""

import pytest

from wasmoor_operator.api import references

DIGEST = "sha256:" + "0" * 64

GOOD = [
    "ghcr.io/acme/time:1.2.0",
    f"ghcr.io/acme/time@{DIGEST}",
    f"ghcr.io/acme/time:1.2.0@{DIGEST}",
    "localhost:5000/examples/text:0.1.0",
    "registry:5000/a:b",
    "team/time:latest",
    "time:1",
    "10.0.0.1:5000/a/b_c/d--e:1",
]
BAD = {
    "https://ghcr.io/a/b:1": references.NO_SCHEME,
    "oci://ghcr.io/a/b:1": references.NO_SCHEME,
    "ghcr.io/a/b@sha256:12": references.BAD_DIGEST,
    f"ghcr.io/a/b@{DIGEST}\n": references.BAD_DIGEST,
    "ghcr.io/A/b:1": references.BAD_FORM,
    "ghcr.io/a b:1": references.BAD_FORM,
    "ghcr.io/a//b:1": references.BAD_FORM,
    "ghcr.io/a/b:": references.BAD_FORM,
    "": references.BAD_FORM,
    "ghcr.io/a/b": references.NO_VERSION,
    "localhost:5000/b": references.NO_VERSION,
}


@pytest.mark.parametrize("reference", GOOD)
def test_good_references_have_no_problem(reference: str) -> None:
    assert references.find_problem(reference) == ""


@pytest.mark.parametrize("reference", BAD)
def test_bad_references_are_told_what_to_write(reference: str) -> None:
    assert references.find_problem(reference) == BAD[reference]


def test_a_long_hostile_reference_is_judged_at_once() -> None:
    assert references.find_problem("a-" * 255 + "!") == references.BAD_FORM
