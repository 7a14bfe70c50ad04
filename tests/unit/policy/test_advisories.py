from __future__ import annotations

import json
from typing import Any

import pytest

from wasmoor_runtime.artifacts.packages import Package
from wasmoor_runtime.policy import advisories
from wasmoor_runtime.policy.advisories import UnreadableAdvisories


def record(ecosystem: str, name: str, *ranges: Any, **more: Any) -> dict[str, Any]:
    affected = {"package": {"ecosystem": ecosystem, "name": name}, "ranges": list(ranges)}
    affected["versions"] = more.pop("versions", [])
    return {"id": "OSV-1", "affected": [affected], **more}


def span(*events: dict[str, str], kind: str = "SEMVER") -> dict[str, Any]:
    return {"type": kind, "events": list(events)}


def fixed(document: Any, ecosystem: str, name: str, version: str) -> str | None:
    """Return the version that fixes what is found, or None when nothing is."""
    known = advisories.parse_advisories(json.dumps(document).encode())
    found = known.find([Package(ecosystem=ecosystem, name=name, version=version)])
    return found[0].fixed if found else None


TWO_SPANS = span({"introduced": "2.0.0"}, {"fixed": "2.0.5"}, {"introduced": "0"}, {"fixed": "1.4.2"})


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("0.0.0-0", "1.4.2"),
        ("1.4.1", "1.4.2"),
        ("1.4.2-rc.1", "1.4.2"),
        ("1.4.2", None),
        ("1.99.0", None),
        ("2.0.0-beta", None),
        ("2.0.0", "2.0.5"),
        ("2.0.4+build", "2.0.5"),
        ("2.0.5", None),
        ("10.0.0", None),
        ("unknown", None),
    ],
)
def test_a_version_inside_a_range_is_affected_and_the_next_fix_is_named(version: str, expected: str | None) -> None:
    assert fixed(record("crates.io", "smallvec", TWO_SPANS), "crates.io", "smallvec", version) == expected


@pytest.mark.parametrize(("version", "expected"), [("1.0.0", ""), ("1.2.0", ""), ("1.2.1", None), ("0.9.9", None)])
def test_the_last_affected_version_is_affected(version: str, expected: str | None) -> None:
    document = record("npm", "left-pad", span({"introduced": "1.0.0"}, {"last_affected": "1.2.0"}))

    assert fixed(document, "npm", "left-pad", version) == expected


@pytest.mark.parametrize(
    ("version", "expected"), [("2.0rc1", "2.0"), ("1!0", None), ("2.0.post1", None), ("1.9", "2.0")]
)
def test_python_packages_are_compared_by_their_own_rules(version: str, expected: str | None) -> None:
    document = record("PyPI", "Flask_Cors", span({"introduced": "0"}, {"fixed": "2.0"}, kind="ECOSYSTEM"))

    assert fixed(document, "PyPI", "flask.cors", version) == expected


def test_listed_versions_are_affected_whatever_the_ecosystem() -> None:
    document = record("Maven", "org.acme:x", versions=["1.0-GA"])

    assert fixed(document, "Maven", "org.acme:x", "1.0-GA") == ""
    assert fixed(document, "Maven", "org.acme:x", "1.1") is None


def test_ranges_without_a_known_order_and_of_commits_match_nothing() -> None:
    document = record(
        "Maven",
        "org.acme:x",
        span({"introduced": "0"}, kind="ECOSYSTEM"),
        span({"introduced": "0"}, kind="GIT"),
    )

    assert fixed(document, "Maven", "org.acme:x", "1.0") is None


def test_a_limit_ends_a_range() -> None:
    document = record("npm", "a", span({"introduced": "1.0.0"}, {"limit": "2.0.0"}))

    assert fixed(document, "npm", "a", "1.5.0") == ""
    assert fixed(document, "npm", "a", "2.0.0") is None


def test_other_packages_ecosystems_and_withdrawn_records_are_left_alone() -> None:
    everything = span({"introduced": "0"})

    assert fixed(record("npm", "a", everything), "npm", "b", "1.0.0") is None
    assert fixed(record("npm", "a", everything), "crates.io", "a", "1.0.0") is None
    assert fixed(record("npm", "a", everything, withdrawn="2024-01-01T00:00:00Z"), "npm", "a", "1.0.0") is None
    assert fixed(record("npm", "a", everything), "npm", "a", "1.0.0") == ""


@pytest.mark.parametrize("wrap", [lambda each: each, lambda each: [each], lambda each: {"vulns": [each]}])
def test_one_record_a_list_and_an_answer_of_the_service_are_read(wrap: Any) -> None:
    assert fixed(wrap(record("npm", "a", span({"introduced": "0"}))), "npm", "a", "1.0.0") == ""


def test_what_is_found_is_told_in_one_sentence() -> None:
    document = record("npm", "a", span({"introduced": "0"}, {"fixed": "1.2.3"}), aliases=["CVE-2024-1", "GHSA-x"])
    known = advisories.parse_advisories(json.dumps([document, record("npm", "b", versions=["1"])]).encode())

    found = known.find([Package(ecosystem="npm", name=name, version="1") for name in "ba"])

    assert advisories.describe_findings(found) == (
        "a 1 has OSV-1 (CVE-2024-1, GHSA-x), fixed in 1.2.3; b 1 has OSV-1, no fixed version is known"
    )
    assert advisories.describe_findings(found * 4).endswith("; and 3 more")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"not json", "JSON"),
        (b"3", "list"),
        (b'{"id": ""}', "record 0.id"),
        (b'[{"id": "A"}, {"affected": []}]', "record 1.id"),
        (
            b'[{"id": "A", "affected": [{"ranges": [{"type": "DATE", "events": []}]}]}]',
            "record 0.affected.0.ranges.0.type",
        ),
        (b" " * (advisories.LARGEST_DOCUMENT + 1), "more than"),
    ],
)
def test_a_document_that_cannot_be_read_is_an_error_that_says_where(document: bytes, words: str) -> None:
    with pytest.raises(UnreadableAdvisories, match=words):
        advisories.parse_advisories(document)
