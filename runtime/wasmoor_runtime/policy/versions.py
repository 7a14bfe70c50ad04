"""Versions of packages as their ecosystems order them: Semantic Versioning and PEP 440. Pure.

Sources: https://semver.org/spec/v2.0.0.html, section 11, and https://peps.python.org/pep-0440/.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

PYPI = "PyPI"
_SEMANTIC = frozenset({"crates.io", "npm", "Go", "Hex", "Pub", "SwiftURL"})
# Minor and patch may be missing, as advisories write `0` and `1.2`; Go's versions begin with a v.
_VERSION = re.compile(
    r"v?(?P<major>[0-9]{1,20})(\.(?P<minor>[0-9]{1,20}))?(\.(?P<patch>[0-9]{1,20}))?"
    r"(-(?P<pre>[0-9A-Za-z.-]+))?(\+[0-9A-Za-z.-]+)?"
)

# Values of one ecosystem can be compared with each other and with nothing else.
Order = Callable[[str], Any]


def find_order(ecosystem: str, *, semantic: bool) -> Order | None:
    """Return the function that makes versions comparable, or None when their order is not known here.

    `semantic` is True for ranges that say of themselves that they follow Semantic Versioning. The function returns None
    for a text that is no version.
    """
    if ecosystem == PYPI:
        return parse_pep440
    return parse_semantic if semantic or ecosystem in _SEMANTIC else None


def parse_semantic(text: str) -> tuple[int, int, int, tuple[Any, ...]] | None:
    """Return a version that compares by precedence, which build metadata has no part in."""
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        return None
    numbers = (int(match[part] or 0) for part in ("major", "minor", "patch"))
    return (*numbers, _precedence(match["pre"]))  # type: ignore[return-value] # three numbers and a tuple


def _precedence(pre: str | None) -> tuple[Any, ...]:
    """Return what orders pre-releases: numbers by value and before words, and all of them before none."""
    if pre is None:
        return (1,)
    return (0, *((0, int(part), "") if part.isdigit() else (1, 0, part) for part in pre.split(".")))


def parse_pep440(text: str) -> Version | None:
    """Return a Python package's version."""
    try:
        return Version(text)
    except InvalidVersion:
        return None


def normalize_name(ecosystem: str, name: str) -> str:
    """Return a package's name as its ecosystem compares it."""
    return str(canonicalize_name(name)) if ecosystem == PYPI else name
