"""Known vulnerabilities: the packages of a component against advisories that the policy's author supplies. Pure.

Threat: a component built from a package with a known hole. Advisories are OSV records (https://ossf.github.io/osv-schema/):
one, an array of them, or `{"vulns": [...]}` as OSV's own service answers. A record that cannot be read is an error: to
leave it out would let its vulnerability through. Withdrawn records are left out, as the schema demands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field, StringConstraints

from wasmoor_runtime import errors
from wasmoor_runtime.artifacts.packages import Package
from wasmoor_runtime.policy import versions

LARGEST_DOCUMENT = 1024 * 1024  # bytes; what a ConfigMap holds
_SHOWN = 5  # findings in a message
_BEGINNING = ("introduced", "0")  # before every version

_Text = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class UnreadableAdvisories(ValueError):
    """A document that holds no OSV records; the message says where it is wrong."""


class _Foreign(pydantic.BaseModel):
    """A part of an OSV record: what is not known here is left alone."""

    model_config = pydantic.ConfigDict(frozen=True, extra="ignore")


class _Package(_Foreign):
    ecosystem: _Text
    name: _Text


class _Event(_Foreign):
    introduced: _Text | None = None
    fixed: _Text | None = None
    last_affected: _Text | None = None
    limit: _Text | None = None


class _Range(_Foreign):
    type: Literal["SEMVER", "ECOSYSTEM", "GIT"]
    events: list[_Event] = Field(min_length=1)


class _Affected(_Foreign):
    package: _Package | None = None
    ranges: list[_Range] = []
    versions: list[str] = []


class _Record(_Foreign):
    id: _Text
    withdrawn: str | None = None
    aliases: list[_Text] = []
    affected: list[_Affected] = []


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """A package of a component that an advisory is about."""

    package: Package
    advisory: str
    aliases: tuple[str, ...] = ()
    fixed: str = ""  # the first version without the vulnerability; empty when there is none

    def __str__(self) -> str:
        """Return the finding for people."""
        also = f" ({', '.join(self.aliases[:3])})" if self.aliases else ""
        remedy = f"fixed in {self.fixed}" if self.fixed else "no fixed version is known"
        return f"{self.package.name} {self.package.version} has {self.advisory}{also}, {remedy}"


class Advisories:
    """OSV records by the packages they are about."""

    def __init__(self, records: Iterable[_Record]) -> None:
        self._by_package: dict[tuple[str, str], list[tuple[_Record, _Affected]]] = {}
        for record in records:
            for affected in record.affected if record.withdrawn is None else ():
                if affected.package is not None:
                    self._by_package.setdefault(_key(affected.package), []).append((record, affected))

    def find(self, packages: Iterable[Package]) -> tuple[Finding, ...]:
        """Return what is known about these packages, in a stable order."""
        found: dict[tuple[Package, str], Finding] = {}
        for package in packages:
            for record, affected in self._by_package.get(_key(package), ()):
                fixed = _match(package, affected)
                if fixed is not None:
                    found[package, record.id] = Finding(
                        package=package, advisory=record.id, aliases=tuple(record.aliases), fixed=fixed
                    )
        return tuple(sorted(found.values()))


def parse_advisories(document: bytes) -> Advisories:
    """Return the advisories of a JSON document; `UnreadableAdvisories` says what is wrong with it."""
    if len(document) > LARGEST_DOCUMENT:
        raise UnreadableAdvisories(f"it has more than {LARGEST_DOCUMENT} bytes")
    try:
        content: Any = pydantic.TypeAdapter(Any).validate_json(document)
        records = content.get("vulns", [content]) if isinstance(content, dict) else content
        return Advisories(pydantic.TypeAdapter(list[_Record]).validate_python(records))
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UnreadableAdvisories(f"{f'record {place}: ' if place else ''}{first['msg']}"[:300]) from None


def check_packages(packages: tuple[Package, ...], problems: tuple[str, ...], known: Advisories) -> None:
    """Raise `Stalled` when a component lists a package with a known vulnerability, or when its list cannot be read."""
    if problems:
        text = f"the component cannot be checked against known vulnerabilities: {problems[0]}; build it again"
        raise errors.Stalled("PackagesUnreadable", text)
    found = known.find(packages)
    if found:
        text = f"known vulnerabilities: {describe_findings(found)}; build the component with fixed versions"
        raise errors.Stalled("KnownVulnerability", text)


def describe_findings(findings: Sequence[Finding]) -> str:
    """Return the findings for a message, the first five of them."""
    shown = "; ".join(str(finding) for finding in findings[:_SHOWN])
    return shown if len(findings) <= _SHOWN else f"{shown}; and {len(findings) - _SHOWN} more"


def _key(package: Package | _Package) -> tuple[str, str]:
    return package.ecosystem, versions.normalize_name(package.ecosystem, package.name)


def _match(package: Package, affected: _Affected) -> str | None:
    """Return the version that fixes it (perhaps ""), or None when this version of the package is not affected.

    https://ossf.github.io/osv-schema/#evaluation: listed by name, or inside one of the ranges.
    """
    for each in affected.ranges:
        fixed = _match_range(package, each)
        if fixed is not None:
            return fixed
    return "" if package.version in affected.versions else None


def _match_range(package: Package, span: _Range) -> str | None:
    order = versions.find_order(package.ecosystem, semantic=span.type == "SEMVER")
    version = order(package.version) if order else None
    if order is None or version is None or span.type == "GIT":
        return None
    limits = [order(event.limit) for event in span.events if event.limit and event.limit != "*"]
    if limits and not any(limit is not None and version < limit for limit in limits):
        return None
    affected = False
    for place, kind, text in _sort_events(span, order):
        reached = place is None or version >= place
        if reached and not (kind == "last_affected" and version == place):
            affected = kind == "introduced"
        elif affected and kind != "introduced":
            return text if kind == "fixed" else ""
    return "" if affected else None


def _sort_events(span: _Range, order: versions.Order) -> list[tuple[Any, str, str]]:
    """Return a range's events by version, None for the beginning; those whose version cannot be read say nothing."""
    listed = [(kind, text) for event in span.events for kind, text in _words(event).items()]
    first = [(None, *each) for each in listed if each == _BEGINNING]
    rest = [(order(text), kind, text) for kind, text in listed if (kind, text) != _BEGINNING]
    # Where versions are equal, what is fixed there comes before what is introduced there.
    known = sorted((each for each in rest if each[0] is not None), key=lambda each: (each[0], each[1] == "introduced"))
    return [*first, *known]


def _words(event: _Event) -> Mapping[str, str]:
    written = {"introduced": event.introduced, "fixed": event.fixed, "last_affected": event.last_affected}
    return {kind: text for kind, text in written.items() if text is not None}
