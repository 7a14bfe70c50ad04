from __future__ import annotations

import itertools

import pytest

from wasmoor_runtime.policy import versions

# https://semver.org/spec/v2.0.0.html#spec-item-11
ASCENDING = [
    "0.0.0-0",
    "0.9",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.9.0",
    "1.10.0",
    "v2.0.0",
    "10",
]


@pytest.mark.parametrize(("lower", "higher"), list(itertools.pairwise(ASCENDING)))
def test_semantic_versions_have_the_order_of_their_specification(lower: str, higher: str) -> None:
    smaller, larger = versions.parse_semantic(lower), versions.parse_semantic(higher)
    assert smaller is not None
    assert larger is not None
    assert smaller < larger


def test_build_metadata_does_not_order() -> None:
    assert versions.parse_semantic("1.0.0+a") == versions.parse_semantic("1.0.0+b.7")


@pytest.mark.parametrize("text", ["", "latest", "1.2.3.4", "1.0.0-", "^1.2", "1.x"])
def test_what_is_no_semantic_version_is_none(text: str) -> None:
    assert versions.parse_semantic(text) is None


@pytest.mark.parametrize(("lower", "higher"), [("1.0rc1", "1.0"), ("1.0", "1.0.post1"), ("9.0", "10.0"), ("9", "1!0")])
def test_python_versions_have_the_order_of_pep_440(lower: str, higher: str) -> None:
    smaller, larger = versions.parse_pep440(lower), versions.parse_pep440(higher)
    assert smaller is not None
    assert larger is not None
    assert smaller < larger
    assert versions.parse_pep440("not a version") is None


@pytest.mark.parametrize(
    ("ecosystem", "semantic", "order"),
    [
        ("crates.io", False, versions.parse_semantic),
        ("npm", False, versions.parse_semantic),
        ("PyPI", False, versions.parse_pep440),
        ("PyPI", True, versions.parse_pep440),
        ("Maven", True, versions.parse_semantic),
        ("Maven", False, None),
    ],
)
def test_each_ecosystem_has_its_order(ecosystem: str, semantic: bool, order: versions.Order | None) -> None:  # noqa: FBT001
    assert versions.find_order(ecosystem, semantic=semantic) is order


def test_python_names_are_compared_as_python_does() -> None:
    assert versions.normalize_name("PyPI", "Ruamel_YAML.clib") == "ruamel-yaml-clib"
    assert versions.normalize_name("npm", "@Scope/Name") == "@Scope/Name"
