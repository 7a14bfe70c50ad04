"""Pages of `tools/list`. Pure. A cursor is the base64 of the index where the next page begins."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TypeVar

PAGE_SIZE = 100

_T = TypeVar("_T")


def decide_page(items: Sequence[_T], cursor: str | None) -> tuple[Sequence[_T], str | None]:
    """Return one page and the cursor of the next; `ValueError` for a cursor that this list never gave out."""
    start = 0 if cursor is None else _parse_cursor(cursor, len(items))
    end = start + PAGE_SIZE
    return items[start:end], _render_cursor(end) if end < len(items) else None


def _render_cursor(index: int) -> str:
    return base64.urlsafe_b64encode(str(index).encode()).decode()


def _parse_cursor(cursor: str, length: int) -> int:
    try:
        text = base64.b64decode(cursor, altchars=b"-_", validate=True).decode("ascii")
    except ValueError as error:  # no base64, or no ASCII
        raise ValueError("unknown cursor") from error
    index = int(text) if text.isdecimal() and len(text) < 9 else 0  # noqa: PLR2004 - no list is longer
    if not 0 < index < length or index % PAGE_SIZE:
        raise ValueError("unknown cursor")
    return index
