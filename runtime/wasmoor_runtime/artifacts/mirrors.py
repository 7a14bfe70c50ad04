"""Mirrors: other addresses at which a registry's artifacts are asked for. The name of an artifact stays what it is.

`HOST=URL` on a command line, `{host: url}` in settings; `PinnedOciSource.mirror` is one such URL. Pure.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable, Mapping

from wasmoor_runtime.artifacts.references import Reference

# Registry host → base URL.
Mirrors = Mapping[str, str]


def parse_base_url(text: str) -> str:
    """Return `http(s)://host[:port]` without a trailing slash; `ValueError` says what else was written."""
    try:
        parts = urllib.parse.urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(_explain(text)) from None
    extra = parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in {"http", "https"} or not parts.hostname or extra or port == 0:
        raise ValueError(_explain(text))
    return f"{parts.scheme}://{parts.netloc.lower()}"


def parse_mirrors(options: Iterable[str]) -> dict[str, str]:
    """Return the mapping that `HOST=URL` options name; `ValueError` for one that cannot be read or comes twice."""
    mirrors: dict[str, str] = {}
    for option in options:
        host, equals, url = option.partition("=")
        host = host.strip().lower()
        if not equals or not host or "/" in host:
            raise ValueError(f"mirror {_hide(option)!r} is not HOST=URL: write for example ghcr.io=https://mirror:5000")
        if host in mirrors:
            raise ValueError(f"registry {host!r} has two mirrors: write one")
        mirrors[host] = parse_base_url(url.strip())
    return mirrors


def find_mirror(reference: Reference, mirrors: Mirrors) -> str | None:
    """Return the base URL to use instead of the reference's registry, or None."""
    return mirrors.get(reference.registry)


def _explain(text: str) -> str:
    return f"mirror {_hide(text)!r} is no address: write http://host:port or https://host:port and nothing after it"


def _hide(text: str) -> str:
    """Leave out what may be a password."""
    scheme, separator, rest = text.rpartition("//")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
