"""The packages that a component was built from, as the component itself lists them.

Pure. Two kinds of lists are read: `.dep-v0`, which cargo-auditable embeds (zlib and JSON, source
https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md), and bills of material in CycloneDX or SPDX
2 JSON in a custom section whose name says so. They are a stranger's: sizes are bounded, and a list that cannot be read
is an error with the section's name, because an unread list must not pass for an empty one.
"""

from __future__ import annotations

import json
import urllib.parse
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

CARGO_SECTION = ".dep-v0"
_BILL_WORDS = ("sbom", "cyclonedx", "spdx")
LARGEST_LIST = 8 * 1024 * 1024  # bytes of one list, unpacked
MOST_PACKAGES = 10_000
_LONGEST = 256  # characters of a name or version

# The type of a package URL → the ecosystem as advisories name it, https://ossf.github.io/osv-schema/#defined-ecosystems
ECOSYSTEMS = {
    "cargo": "crates.io",
    "npm": "npm",
    "pypi": "PyPI",
    "golang": "Go",
    "gem": "RubyGems",
    "nuget": "NuGet",
    "maven": "Maven",
    "hex": "Hex",
    "pub": "Pub",
    "composer": "Packagist",
    "swift": "SwiftURL",
}


class UnreadableList(ValueError):
    """A list of packages that cannot be read; the message names its section."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Package:
    """One package in one version."""

    ecosystem: str  # as advisories name it; empty when it is not known
    name: str
    version: str


def is_list(section: str) -> bool:
    """Return whether a custom section of this name holds a list of packages."""
    return section == CARGO_SECTION or any(word in section.lower() for word in _BILL_WORDS)


def parse_packages(section: str, content: bytes) -> frozenset[Package]:
    """Return the packages of one list; `UnreadableList` when it is none."""
    try:
        document = json.loads(_unpack(content))
        found = _cargo(document) if section == CARGO_SECTION else _bill(document)
        packages = frozenset(found)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, zlib.error) as error:
        raise UnreadableList(f"the list of packages in its section {section} cannot be read ({error})") from None
    if len(packages) > MOST_PACKAGES:
        raise UnreadableList(f"the list of packages in its section {section} has more than {MOST_PACKAGES} of them")
    return packages


def _unpack(content: bytes) -> bytes:
    """Return the text of a list, which may be compressed."""
    if content[:1] != b"\x78" and content[:2] != b"\x1f\x8b":
        if len(content) > LARGEST_LIST:
            raise ValueError(f"it is larger than {LARGEST_LIST} bytes")
        return content
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # 32: zlib or gzip, by its header
    text = unpacker.decompress(content, LARGEST_LIST)
    if not unpacker.eof:
        raise ValueError(f"it is cut off, or larger than {LARGEST_LIST} bytes")
    return text


def _cargo(document: Any) -> Iterator[Package]:
    """Yield what is part of the component: no build-time packages, and not those that were never published."""
    for entry in document["packages"]:
        if entry.get("kind", "runtime") == "runtime" and entry.get("source") != "local":
            yield _package("crates.io", entry["name"], entry["version"])


def _bill(document: Any) -> Iterator[Package]:
    if document.get("bomFormat") == "CycloneDX":
        yield from _cyclonedx(document.get("components") or ())
    elif str(document.get("spdxVersion", "")).startswith("SPDX-2"):
        for entry in document.get("packages") or ():
            yield from _spdx(entry)
    else:
        raise ValueError("it is neither CycloneDX nor SPDX 2 in JSON")


def _cyclonedx(components: Iterable[Any]) -> Iterator[Package]:
    for entry in components:
        yield from _by_url(entry.get("purl"), entry["name"], entry.get("version"))
        yield from _cyclonedx(entry.get("components") or ())


def _spdx(entry: Any) -> Iterator[Package]:
    references = [each for each in entry.get("externalRefs") or () if each.get("referenceType") == "purl"]
    urls = [each["referenceLocator"] for each in references] or [None]
    for url in urls:
        yield from _by_url(url, entry["name"], entry.get("versionInfo"))


def _by_url(url: str | None, name: str, version: str | None) -> Iterator[Package]:
    """Yield the package that a package URL names; https://github.com/package-url/purl-spec."""
    if not url or not url.startswith("pkg:"):
        if version:
            yield _package("", name, version)
        return
    path = url.removeprefix("pkg:").lstrip("/").partition("#")[0].partition("?")[0]
    path, _, written = path.rpartition("@") if "@" in path.rpartition("/")[2] else (path, "", "")
    kind, _, full = path.partition("/")
    parts = [urllib.parse.unquote(part) for part in full.split("/") if part]
    separator = ":" if kind == "maven" else "/"
    yield _package(ECOSYSTEMS.get(kind.lower(), ""), separator.join(parts), urllib.parse.unquote(written) or version)


def _package(ecosystem: str, name: Any, version: Any) -> Package:
    if not isinstance(name, str) or not name:
        raise TypeError("a package has no name")
    text = version if isinstance(version, str) else ""
    return Package(ecosystem=ecosystem, name=name[:_LONGEST], version=text[:_LONGEST])
