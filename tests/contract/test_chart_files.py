"""The chart carries the very files that the models generate."""

from __future__ import annotations

from scripts import generate


def test_no_generated_file_is_stale() -> None:
    assert generate.find_stale() == []
