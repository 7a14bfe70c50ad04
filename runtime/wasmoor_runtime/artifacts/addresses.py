"""Where a component is, as people write it on a command line or into a manifest: one parser for all of it. Pure.

    oci://registry/repository:tag   a registry
    https://host/path               a web server, also http://; `#sha256=<64 hex digits>` may pin it
    file:///path  path              a file

Threat: passwords in URLs end up in statuses, logs and process lists, so a URL with one is refused; a query may hold a
signature, so it is sent and never shown.
"""

from __future__ import annotations

import re
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

from wasmoor_runtime.artifacts import references
from wasmoor_runtime.artifacts.references import Reference

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*)://")
_SHA256 = re.compile(r"^[0-9a-f]{64}$")
_PIN = "sha256="
LONGEST_URL = 2048
# The same for the rules of the CRD: a host, no user and password before it, no fragment.
URL_PATTERN = r"^https?://[^/?#@\s]+([/?][^#\s]*)?$"


@dataclass(frozen=True, slots=True, kw_only=True)
class OciAddress:
    """An artifact in a registry."""

    reference: Reference

    def __str__(self) -> str:
        return f"oci://{self.reference}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAddress:
    """A file on a web server; `str()` leaves out the query."""

    url: str = field(repr=False)  # as it is asked for, query included
    sha256: str | None = None  # 64 hexadecimal digits, where the address pins it

    def __str__(self) -> str:
        return show_url(self.url)

    @property
    def is_protected(self) -> bool:
        """Whether nobody on the way can change what comes from there."""
        parts = urllib.parse.urlsplit(self.url)
        return parts.scheme == "https" or references.is_loopback(parts.netloc)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAddress:
    """A file on this machine."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


Address = OciAddress | HttpAddress | FileAddress


def parse_location(text: str) -> Address:
    """Return what was written; `ValueError` says in one sentence what is wrong and what to write."""
    if not text.strip():
        raise ValueError("no location: write a path, oci://registry/repository:tag or https://host/file.wasm")
    found = _SCHEME.match(text)
    scheme = found.group(1).lower() if found else ""
    if scheme == "oci":
        return OciAddress(reference=references.parse_reference(text[len("oci://") :]))
    if scheme in {"http", "https"}:
        return _parse_http(text)
    if scheme == "file":
        return FileAddress(path=_parse_file(text))
    if scheme:
        raise ValueError(f"{scheme}:// is not known: write oci://, https://, http://, file:// or a path")
    return FileAddress(path=Path(text))


def check_url(url: str) -> None:
    """Raise `ValueError` unless this is an http or https URL that may be asked for."""
    shown = show_url(url)
    if not url.isprintable() or not _has_host(url):
        raise ValueError(f"{shown!r} is no address: write for example https://files.example/time.wasm")
    if len(url) > LONGEST_URL:
        raise ValueError(f"{shown[:80]!r}… is too long: a URL has at most {LONGEST_URL} characters")
    if "@" in urllib.parse.urlsplit(url).netloc:
        raise ValueError(f"{shown!r} holds a user or a password: leave them out")
    if "#" in url:
        raise ValueError(f"{shown!r} has a fragment: leave out everything from # on")
    if not re.fullmatch(URL_PATTERN, url):
        raise ValueError(f"{shown!r} is no address: write for example https://files.example/time.wasm")


def show_url(url: str) -> str:
    """Return a URL without what may be a secret: its user part, its query, its fragment."""
    base = re.split(r"[?#]", url, maxsplit=1)[0]
    scheme, separator, rest = base.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"


def _has_host(url: str) -> bool:
    """Return whether host and port can be read."""
    try:
        parts = urllib.parse.urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _parse_http(text: str) -> HttpAddress:
    url, hash_sign, fragment = text.partition("#")
    check_url(url)
    if not hash_sign:
        return HttpAddress(url=url)
    if not fragment.startswith(_PIN) or not _SHA256.fullmatch(fragment.removeprefix(_PIN)):
        raise ValueError(f"{show_url(url)!r} has another fragment than #sha256= and 64 lower-case hexadecimal digits")
    return HttpAddress(url=url, sha256=fragment.removeprefix(_PIN))


def _parse_file(text: str) -> Path:
    parts = urllib.parse.urlsplit(text)
    if parts.netloc not in {"", "localhost"} or not parts.path.startswith("/") or parts.query or parts.fragment:
        raise ValueError(f"{text!r} is no file of this machine: write file:///absolute/path or just the path")
    path = urllib.parse.unquote(parts.path)
    if "\0" in path:
        raise ValueError(f"{text!r} is no path")
    return Path(path)
