"""What a registry asks for when it answers 401: the `WWW-Authenticate` header. Pure.

RFC 9110, 11.6.1; https://distribution.github.io/distribution/spec/auth/token/
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_PARAMETER = re.compile(r'([A-Za-z]+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))')
# Longer headers are not read.
_LONGEST = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """How to authenticate; the rest is for `bearer` alone."""

    scheme: Literal["basic", "bearer"]
    realm: str = ""  # URL that gives tokens
    service: str = ""
    scope: str = ""


def parse_challenge(header: str) -> Challenge | None:
    """Return what the header asks for, or None when it is nothing that is understood here."""
    text = header.strip()[:_LONGEST]
    scheme, _, rest = text.partition(" ")
    if scheme.lower() == "basic":
        return Challenge(scheme="basic")
    if scheme.lower() != "bearer":
        return None
    values = {key.lower(): quoted or bare for key, quoted, bare in _PARAMETER.findall(rest)}
    if not values.get("realm"):
        return None
    return Challenge(
        scheme="bearer",
        realm=values["realm"],
        service=values.get("service", ""),
        scope=values.get("scope", ""),
    )
