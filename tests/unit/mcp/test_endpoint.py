from __future__ import annotations

import pytest

from wasmoor_runtime.mcp.endpoint import is_loopback_url


@pytest.mark.parametrize(
    "url",
    ["http://localhost", "http://localhost:8080", "https://127.0.0.1:1", "http://[::1]:8080", "http://127.5.0.1"],
)
def test_names_of_this_machine_are_loopback(url: str) -> None:
    assert is_loopback_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "null", "", "http://", "http://evil.test", "http://localhost.evil.test", "http://127.0.0.1.evil.test",
        "http://evil.test@evil.test", "http://localhost@evil.test", "file://localhost", "http://[::1", "http://0.0.0.0",
    ],
)  # fmt: skip
def test_everything_else_is_not(url: str) -> None:
    assert not is_loopback_url(url)
