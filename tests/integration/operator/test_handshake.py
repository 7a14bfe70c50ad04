"""The MCP client against servers that are real, slow, endless or something else."""

from __future__ import annotations

import time

import pytest

from tests.fakes.operator_pods import FakePod, serve_pod
from tests.integration.operator.test_pods import black_hole
from wasmoor_operator.adapters import handshake

pytestmark = pytest.mark.integration


def make_pod(**changes: object) -> FakePod:
    pod = FakePod(namespace="tools", component="text", contract="c")
    for field, value in changes.items():
        setattr(pod, field, value)
    return pod


async def test_tools_are_listed_with_their_schemas() -> None:
    with serve_pod(make_pod(tools=("one", "two")), "127.99.1.1"):
        tools = await handshake.list_tools("http://127.99.1.1:8080/mcp", deadline=10)
    assert [tool["name"] for tool in tools] == ["one", "two"]
    assert tools[0]["inputSchema"] == {"type": "object", "properties": {}}


async def test_a_server_that_never_answers_fails_at_the_deadline() -> None:
    with black_hole("127.99.1.2"):
        began = time.monotonic()
        with pytest.raises(handshake.HandshakeFailed, match="within"):
            await handshake.list_tools("http://127.99.1.2:8080/mcp", deadline=0.5)
    assert time.monotonic() - began < 10


async def test_a_server_that_is_not_there_is_named_as_such() -> None:
    with pytest.raises(handshake.HandshakeFailed, match=r"(?i)connect"):
        await handshake.list_tools("http://127.99.1.3:8080/mcp", deadline=5)


async def test_something_that_does_not_speak_mcp_fails() -> None:
    with serve_pod(make_pod(), "127.99.1.4"), pytest.raises(handshake.HandshakeFailed):
        await handshake.list_tools("http://127.99.1.4:9090/mcp", deadline=5)


async def test_more_tools_than_anybody_can_use_are_refused() -> None:
    many = tuple(f"tool-{number}" for number in range(handshake.MAX_TOOLS + 1))
    with serve_pod(make_pod(tools=many), "127.99.1.5"), pytest.raises(handshake.HandshakeFailed, match="more than"):
        await handshake.list_tools("http://127.99.1.5:8080/mcp", deadline=20)


async def test_an_answer_larger_than_bearable_is_cut() -> None:
    wide = tuple(f"{'t' * 40_000}{number}" for number in range(500))
    with serve_pod(make_pod(tools=wide), "127.99.1.6"), pytest.raises(handshake.HandshakeFailed):
        await handshake.list_tools("http://127.99.1.6:8080/mcp", deadline=20)
