"""Where an artifact is asked for: URLs of the distribution protocol, and which other URLs a registry may send us to.

Threat: a registry, or whoever sits on a mirror, redirects requests to take credentials along or to leave TLS. Only the
registry's own origin ever gets credentials, and nothing leads from https to http. Pure.
https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#endpoints
"""

from __future__ import annotations

import urllib.parse
from dataclasses import dataclass

from wasmoor_runtime.artifacts import mirrors, references
from wasmoor_runtime.artifacts.references import Reference

# Docker Hub's name is not the host of its API.
_API_HOSTS = {references.DOCKER_HUB: "registry-1.docker.io"}
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """One repository of one registry, as URLs."""

    base: str  # http(s)://host[:port]
    repository: str

    @property
    def host(self) -> str:
        """Host and port, for messages."""
        return urllib.parse.urlsplit(self.base).netloc

    def manifest(self, name: str) -> str:
        """URL of the manifest with this tag or digest."""
        return f"{self.base}/v2/{self.repository}/manifests/{name}"

    def blob(self, digest: str) -> str:
        """URL of a blob."""
        return f"{self.base}/v2/{self.repository}/blobs/{digest}"

    def uploads(self) -> str:
        """URL at which an upload begins."""
        return f"{self.base}/v2/{self.repository}/blobs/uploads/"


def locate(reference: Reference, *, insecure: bool = False, mirror: str | None = None) -> Location:
    """Return where to ask; `ValueError` when the mirror is no base URL. A loopback registry is asked by plain HTTP."""
    if mirror is not None:
        return Location(base=mirrors.parse_base_url(mirror), repository=reference.repository)
    plain = insecure or references.is_loopback(reference.registry)
    host = _API_HOSTS.get(reference.registry, reference.registry)
    return Location(base=f"{'http' if plain else 'https'}://{host}", repository=reference.repository)


def origin(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port: what must be equal for credentials to be sent. `ValueError` for no such URL."""
    parts = urllib.parse.urlsplit(url)
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError("not an http or https URL")
    return scheme, parts.hostname.lower(), parts.port or _DEFAULT_PORTS[scheme]


def is_same_origin(one: str, other: str) -> bool:
    """Return whether both URLs belong to the same scheme, host and port."""
    try:
        return origin(one) == origin(other)
    except ValueError:
        return False


def may_follow(source: str, target: str) -> bool:
    """Return whether `source` may send us to the absolute URL `target`: http or https, and never out of TLS."""
    try:
        before, after = origin(source)[0], origin(target)[0]
    except ValueError:
        return False
    return before == "http" or after == "https"
