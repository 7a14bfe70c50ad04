from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest

from wasmoor_runtime.artifacts import packages
from wasmoor_runtime.artifacts.packages import Package, UnreadableList


def parse(document: Any, section: str = "sbom") -> set[tuple[str, str, str]]:
    found = packages.parse_packages(section, json.dumps(document).encode())
    return {(each.ecosystem, each.name, each.version) for each in found}


def test_a_cargo_list_names_what_is_in_the_component() -> None:
    document = {
        "packages": [
            {"name": "app", "version": "0.1.0", "source": "local", "root": True, "dependencies": [1]},
            {"name": "serde_yaml", "version": "0.8.3", "source": "crates.io"},
            {"name": "forked", "version": "2.0.0", "source": "git"},
            {"name": "cc", "version": "1.0.0", "source": "crates.io", "kind": "build"},
        ]
    }
    compressed = zlib.compress(json.dumps(document).encode())

    assert packages.parse_packages(".dep-v0", compressed) == {
        Package(ecosystem="crates.io", name="serde_yaml", version="0.8.3"),
        Package(ecosystem="crates.io", name="forked", version="2.0.0"),
    }


def test_cyclonedx_components_are_known_by_their_package_urls_also_nested_ones() -> None:
    document = {
        "bomFormat": "CycloneDX",
        "components": [
            {"name": "core", "purl": "pkg:npm/%40angular/core@17.0.1?arch=any#sub", "version": "0"},
            {"name": "requests", "purl": "pkg:pypi/requests", "version": "2.1.0"},
            {"name": "outer", "version": "1", "components": [{"name": "x", "purl": "pkg:maven/org.acme/x@3"}]},
        ],
    }

    assert parse(document) == {
        ("npm", "@angular/core", "17.0.1"),
        ("PyPI", "requests", "2.1.0"),
        ("", "outer", "1"),
        ("Maven", "org.acme:x", "3"),
    }


def test_spdx_packages_are_known_by_their_package_urls() -> None:
    document = {
        "spdxVersion": "SPDX-2.3",
        "packages": [
            {
                "name": "log4rs",
                "versionInfo": "1.0.0",
                "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:cargo/log4rs@1.0.0"}],
            },
            {"name": "zlib", "versionInfo": "1.3"},
        ],
    }

    assert parse(document, "app.spdx.json") == {("crates.io", "log4rs", "1.0.0"), ("", "zlib", "1.3")}


def test_a_bill_may_be_compressed() -> None:
    text = json.dumps({"bomFormat": "CycloneDX", "components": [{"name": "a", "purl": "pkg:npm/a@1"}]}).encode()

    assert packages.parse_packages("sbom", gzip.compress(text)) == packages.parse_packages("sbom", text)


@pytest.mark.parametrize(
    ("section", "content"),
    [
        (".dep-v0", b"\x78\x9c damaged"),
        (".dep-v0", zlib.compress(b'{"packages": [{"name": "a", "version": "1"}]}')[:-4]),
        (".dep-v0", zlib.compress(b'{"packages": [{"version": "1"}]}')),
        (".dep-v0", zlib.compress(b" " * (9 * 1024 * 1024))),
        ("sbom", b"[]"),
        ("sbom", b'{"bomFormat": "Other"}'),
        ("sbom", b'{"bomFormat": "CycloneDX", "components": [1]}'),
        ("sbom", b"[" * 100_000),
    ],
)
def test_a_list_that_cannot_be_read_is_an_error_that_names_its_section(section: str, content: bytes) -> None:
    with pytest.raises(UnreadableList, match=f"section {section}"):
        packages.parse_packages(section, content)


@pytest.mark.parametrize(
    ("section", "expected"),
    [(".dep-v0", True), ("sbom.cyclonedx", True), ("SPDX", True), ("producers", False), ("name", False)],
)
def test_a_list_is_known_by_its_section_s_name(section: str, expected: bool) -> None:  # noqa: FBT001
    assert packages.is_list(section) is expected
