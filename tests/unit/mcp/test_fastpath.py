from __future__ import annotations

import json
from typing import Any

import pytest

from wasmoor_runtime.events import Trace
from wasmoor_runtime.mcp import fastpath
from wasmoor_runtime.mcp.answers import Answer
from wasmoor_runtime.mcp.identity import Identity
from wasmoor_runtime.ports import Verdict

HEADERS = (
    (b"host", b"x"),
    (b"content-type", b"application/json"),
    (b"accept", b"application/json, text/event-stream"),
    (b"mcp-protocol-version", b"2026-07-28"),
    (b"mcp-method", b"tools/call"),
    (b"mcp-name", b"add"),
    (b"content-length", b"10"),
)
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
VERSION = "io.modelcontextprotocol/protocolVersion"
CLIENT = "io.modelcontextprotocol/clientInfo"
META = {VERSION: "2026-07-28", CAPABILITIES: {}, CLIENT: {"name": "c", "version": "1"}}


def document(**changes: Any) -> dict[str, Any]:
    params = {"name": "add", "arguments": {"a": 1}, "_meta": META}
    return {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params, **changes}


def find(body: Any) -> fastpath.Call | None:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = fastpath.read_headers(HEADERS)
    assert headers is not None
    return fastpath.find_call(text, headers)


def test_a_usual_call_is_recognised() -> None:
    assert find(document()) == fastpath.Call(id=7, name="add", arguments={"a": 1})


@pytest.mark.parametrize(
    "params",
    [
        {"name": "add", "_meta": META},
        {"name": "add", "_meta": META, "arguments": None},
        {"name": "add", "_meta": META | {CAPABILITIES: {"elicitation": {"form": {}}, "sampling": {}}}},
        {"name": "add", "_meta": META | {CAPABILITIES: {"extensions": {"io.example/x": {"deep": [1]}}, "other": {}}}},
        {"name": "add", "_meta": {VERSION: "2026-07-28", CAPABILITIES: {}}},
    ],
)
def test_what_may_be_left_out_may_be_left_out(params: dict[str, Any]) -> None:
    call = find(document(params=params))
    assert call is not None
    assert call.arguments == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"id": True}, {"id": None}, {"id": 1.0}, {"id": 1 << 70}, {"jsonrpc": "1.0"}, {"method": "tools/list"},
        {"extra": 1}, {"params": None}, {"params": []}, {"params": {}},
        {"params": {"name": "sub", "_meta": META}},
        {"params": {"name": "add", "_meta": META, "arguments": []}},
        {"params": {"name": "add", "_meta": META, "inputResponses": {}}},
        {"params": {"name": "add", "_meta": META, "requestState": "s"}},
        {"params": {"name": "add", "_meta": META, "task": {}}},
        {"params": {"name": "add", "_meta": META | {"progressToken": 1}}},
        {"params": {"name": "add", "_meta": META | {"baggage": "a=b"}}},
        {"params": {"name": "add", "_meta": META | {VERSION: "2025-11-25"}}},
        {"params": {"name": "add", "_meta": META | {CAPABILITIES: None}}},
        {"params": {"name": "add", "_meta": META | {CAPABILITIES: {"unheard-of": {"x": {}}}}}},
        {"params": {"name": "add", "_meta": META | {CAPABILITIES: {"sampling": {"tools": {"deep": 1}}}}}},
        {"params": {"name": "add", "_meta": META | {CLIENT: {"name": "c"}}}},
        {"params": {"name": "add", "_meta": META | {CLIENT: {"name": "c", "version": 1}}}},
    ],
)  # fmt: skip
def test_everything_else_is_not(changes: dict[str, Any]) -> None:
    assert find(document(**changes)) is None


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"[{}]", b"{", b"\xff", b"\xef\xbb\xbf{}", b"[" * 5000, b'{"id": "\\ud800"}', b'{"a": ' + b"9" * 5000],
)
def test_bodies_that_are_no_single_request_are_not(body: bytes) -> None:
    assert find(body) is None


@pytest.mark.parametrize(
    "changes",
    [
        {b"origin": b"http://localhost"}, {b"expect": b"100-continue"}, {b"mcp-param-region": b"eu"},
        {b"mcp-session-id": b"1"}, {b"authorization": b"Bearer x"}, {b"transfer-encoding": b"chunked"},
        {b"content-type": b"text/plain"}, {b"accept": b"application/json"}, {b"connection": b"upgrade"},
        {b"mcp-protocol-version": b"2025-11-25"}, {b"mcp-method": b"tools/list"}, {b"baggage": b"a=b"},
    ],
)  # fmt: skip
def test_unusual_headers_are_not_recognised(changes: dict[bytes, bytes]) -> None:
    assert fastpath.read_headers(tuple((dict(HEADERS) | changes).items())) is None


@pytest.mark.parametrize("name", [b"host", b"mcp-method", b"content-type", b"accept", b"mcp-protocol-version"])
def test_missing_and_repeated_headers_are_not_recognised(name: bytes) -> None:
    assert fastpath.read_headers([each for each in HEADERS if each[0] != name]) is None
    assert fastpath.read_headers([*HEADERS, (name, dict(HEADERS)[name])]) is None


@pytest.mark.parametrize(
    ("text", "length"), [(b"10", 10), (b"", 0), (b"+1", 0), (b"-1", 0), (b"\xb2", 0), (b"9" * 30, 0), (b"1 ", 0)]
)
def test_a_length_is_read_only_when_it_is_plain(text: bytes, length: int) -> None:
    assert fastpath.declared_length({b"content-length": text}) == length


def test_an_answer_is_one_json_object_whatever_is_in_it() -> None:
    renderer = fastpath.Renderer(Identity(name='n"', title="t\u2028", version="1"))
    good = renderer.render('i"d', Answer(verdict=Verdict.OK, text='{"result":"\\"é"}', structured={"result": '"é'}))
    assert json.loads(good)["id"] == 'i"d'
    assert json.loads(good)["result"]["structuredContent"] == {"result": '"é'}
    for verdict in set(Verdict) - {Verdict.OK}:
        bad = json.loads(renderer.render(1, Answer(verdict=verdict, text='"}')))
        assert bad["result"]["_meta"]["wasmoor.dev/verdict"] == verdict.value
        assert (bad["result"]["isError"], bad["result"]["content"][0]["text"]) == (True, '"}')


PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-0af7651916cd43dd8448eb211c80319d-b7ad6b7169203332-01"


@pytest.mark.parametrize(
    ("meta", "headers", "trace"),
    [
        ({"traceparent": PARENT, "tracestate": "k=v"}, {}, Trace(PARENT, "k=v")),
        ({}, {b"traceparent": PARENT.encode(), b"tracestate": b"k=v"}, Trace(PARENT, "k=v")),
        ({"traceparent": PARENT}, {b"traceparent": OTHER.encode()}, Trace(PARENT)),
        ({"traceparent": "no"}, {b"traceparent": b"none \xff"}, None),
        ({}, {}, None),
    ],
)
def test_a_call_of_a_trace_is_a_usual_call(
    meta: dict[str, str], headers: dict[bytes, bytes], trace: Trace | None
) -> None:
    body = document(params={"name": "add", "arguments": {}, "_meta": META | meta})

    found = fastpath.read_headers((*HEADERS, *headers.items()))

    assert found is not None
    call = fastpath.find_call(json.dumps(body).encode(), found)
    assert call is not None
    assert (call.asked.trace, call.asked.usage) == (trace, False)


@pytest.mark.parametrize("meta", [{"traceparent": 7}, {"tracestate": None}, {"wasmoor.dev/usage": True}])
def test_what_else_is_asked_beside_a_call_is_left_to_the_sdk(meta: dict[str, Any]) -> None:
    assert find(document(params={"name": "add", "arguments": {}, "_meta": META | meta})) is None
