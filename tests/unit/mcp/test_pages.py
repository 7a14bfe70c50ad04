from __future__ import annotations

import pytest

from wasmoor_runtime.mcp.pages import decide_page


def test_a_short_list_is_one_page() -> None:
    assert decide_page(range(100), None) == (range(100), None)
    assert decide_page((), None) == ((), None)


def test_the_pages_together_are_the_list() -> None:
    items = tuple(range(301))
    seen: list[int] = []
    cursor: str | None = None
    while True:
        page, cursor = decide_page(items, cursor)
        seen += page
        if cursor is None:
            break
    assert tuple(seen) == items


@pytest.mark.parametrize("cursor", ["", "x", "é", "MA==", "NTA=", "OTk5OTk5OTk5OTk5", "LTEwMA==", "MzAw"])
def test_a_cursor_that_was_never_given_out_is_refused(cursor: str) -> None:
    with pytest.raises(ValueError, match="unknown cursor"):
        decide_page(tuple(range(300)), cursor)
