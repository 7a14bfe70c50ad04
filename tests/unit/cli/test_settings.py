from __future__ import annotations

from pathlib import Path

import pytest

from wasmoor_runtime.settings import decide_cache


@pytest.mark.parametrize(
    ("environment", "path"),
    [
        ({"WASMOOR_CACHE": "/c", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/c"),
        ({"WASMOOR_CACHE": "", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/wasmoor"),
        ({"HOME": "/h"}, "/h/.cache/wasmoor"),
    ],
)
def test_the_cache_is_where_the_environment_says(environment: dict[str, str], path: str) -> None:
    assert decide_cache(environment) == Path(path)
