"""Names of artifacts: `registry/repository:tag`, `…:tag@sha256:…`, `…@sha256:…`.

The grammar is distribution's (https://github.com/distribution/reference), with its defaults for Docker Hub. Two things
are stricter: a reference names a tag or a digest (nobody means `latest` by leaving it out), and digests are SHA-256.
Pure.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from wasmoor_runtime.artifacts import digests

DOCKER_HUB = "docker.io"
LONGEST_NAME = 255
LARGEST_PORT = 65535

_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_HOST = re.compile(rf"^(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])(?::[0-9]{{1,5}})?$")
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"^{_PART}(?:/{_PART})*$")
_TAG = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A parsed reference; `str()` writes it in full, and parsing that gives the same value again."""

    registry: str  # host[:port] in lower case; `docker.io` for Docker Hub
    repository: str
    tag: str | None = None
    digest: str | None = None  # wins over the tag

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"

    @property
    def name(self) -> str:
        """Registry and repository, without tag and digest."""
        return f"{self.registry}/{self.repository}"

    def pin(self, digest: str) -> str:
        """Write the reference of exactly this manifest of the same repository."""
        return f"{self.name}@{digest}"


def parse_reference(text: str) -> Reference:
    """Return the parsed reference; `ValueError` says in one sentence what is wrong and what to write."""
    if "://" in text:
        raise ValueError(f"{text!r} is a URL, not a reference: leave out everything up to {'://'!r}")
    if not text or text != text.strip() or not text.isprintable() or " " in text:
        raise ValueError(f"{text!r} is no reference: write for example ghcr.io/acme/clock:1.0 without spaces")
    name, _, digest = text.partition("@")
    if "@" in text and not digests.is_digest(digest):
        raise ValueError(f"{text!r} has no usable digest: after @ write sha256: and 64 lower-case hexadecimal digits")
    name, tag = _split_tag(name)
    if not tag and not digest:
        raise ValueError(f"{text!r} names neither a tag nor a digest: write for example {name}:1.0")
    if tag is not None and not _TAG.fullmatch(tag):
        raise ValueError(f"{text!r} has the tag {tag!r}: write 1 to 128 letters, digits, dots, dashes or underscores")
    registry, repository = _split_registry(name)
    _check_registry(text, registry)
    _check_repository(text, repository)
    if len(registry) + 1 + len(repository) > LONGEST_NAME:
        raise ValueError(f"{text!r} is too long: registry and repository together have at most 255 characters")
    return Reference(registry=registry, repository=repository, tag=tag, digest=digest or None)


def is_loopback(registry: str) -> bool:
    """Return whether this registry is on this machine, so that plain HTTP to it crosses no network."""
    host = registry[: registry.rfind(":")] if re.search(r":[0-9]+$", registry) else registry
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _split_tag(name: str) -> tuple[str, str | None]:
    """Split at the last colon, unless it is that of a port."""
    before, colon, after = name.rpartition(":")
    if not colon or "/" in after:
        return name, None
    return before, after


def _split_registry(name: str) -> tuple[str, str]:
    """Split off the registry; a first part with a dot or a colon, or `localhost`, is one."""
    first, slash, rest = name.partition("/")
    if slash and (first == "localhost" or "." in first or ":" in first):
        registry = first.lower()
    else:
        registry, rest = DOCKER_HUB, name
    if registry == f"index.{DOCKER_HUB}":
        registry = DOCKER_HUB
    if registry == DOCKER_HUB and "/" not in rest:
        rest = f"library/{rest}"
    return registry, rest


def _check_registry(text: str, registry: str) -> None:
    port = registry.rpartition(":")[2] if re.search(r":[0-9]+$", registry) else "1"
    if not _HOST.fullmatch(registry) or not 0 < int(port) <= LARGEST_PORT or not _is_address(registry):
        raise ValueError(f"{text!r} has the registry {registry!r}: write a host name or address, with a port if needed")


def _is_address(registry: str) -> bool:
    """Return whether what stands in brackets is an IPv6 address; True where nothing does."""
    if not registry.startswith("["):
        return True
    try:
        ipaddress.IPv6Address(registry[1 : registry.index("]")])
    except ValueError:
        return False
    return True


def _check_repository(text: str, repository: str) -> None:
    if repository != repository.lower():
        raise ValueError(f"{text!r} has capitals in the repository: write {repository.lower()!r}")
    if not _REPOSITORY.fullmatch(repository):
        raise ValueError(
            f"{text!r} has the repository {repository!r}: write lower-case letters and digits, separated by single"
            " dots, dashes, underscores or slashes"
        )
