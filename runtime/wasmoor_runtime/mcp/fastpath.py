"""The fast path: the usual `tools/call` of revision 2026-07-28, recognised and answered without the SDK. Pure.

The SDK takes some 300 µs of processor time for a call, several times as long as a small component. What a modern client
sends for a call is always of one shape, so that shape is recognised here, and everything else, from an unknown header
to a broken body, is left to the SDK. The rule: what is recognised here, the SDK would take too, and the answers are the
same bytes. Whatever is in doubt is not recognised. `fastpath_http` carries it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from wasmoor_runtime.mcp import asks
from wasmoor_runtime.mcp.answers import VERDICT_META, Answer
from wasmoor_runtime.mcp.identity import Identity
from wasmoor_runtime.ports import Verdict

LARGEST_BODY = 64 * 1024
"""Bytes of a request that is recognised; parsing larger ones dominates anyway."""

_REVISION = "2026-07-28"
_METHOD = "tools/call"
_PREFIX = "io.modelcontextprotocol/"
_SERVER_INFO = f"{_PREFIX}serverInfo"

# Headers that must be so (https://modelcontextprotocol.io/specification/2026-07-28/basic/transports).
_REQUIRED: Mapping[bytes, frozenset[bytes]] = {
    b"mcp-protocol-version": frozenset({_REVISION.encode()}),
    b"mcp-method": frozenset({_METHOD.encode()}),
    b"content-type": frozenset({b"application/json", b"application/json; charset=utf-8"}),
    b"accept": frozenset(
        {
            b"application/json, text/event-stream",
            b"application/json,text/event-stream",
            b"text/event-stream, application/json",
            b"*/*",
        }
    ),
}
# Headers that change nothing. One that is neither here nor above (Origin, Expect, Mcp-Param-*, Authorization, …) may
# change something.
_INDIFFERENT = frozenset(
    {
        b"host", b"content-length", b"mcp-name", b"connection", b"user-agent",
        b"accept-encoding", b"accept-language", b"cache-control", b"pragma", b"priority", b"sec-fetch-mode",
        b"forwarded", b"via", b"x-request-id", b"x-real-ip", b"traceparent", b"tracestate",
        b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-port", b"x-forwarded-proto", b"x-forwarded-scheme",
    }
)  # fmt: skip
_KNOWN = _INDIFFERENT | _REQUIRED.keys()
_CONNECTIONS = frozenset({b"", b"keep-alive", b"Keep-Alive", b"close"})

_ENVELOPE = frozenset({"jsonrpc", "id", "method", "params"})
_PARAMS = frozenset({"name", "arguments", "_meta"})
_VERSION_META = f"{_PREFIX}protocolVersion"
_CAPABILITIES_META = f"{_PREFIX}clientCapabilities"
_CLIENT_META = f"{_PREFIX}clientInfo"
_TRACE_META = ("traceparent", "tracestate")
_META = frozenset({_VERSION_META, _CAPABILITIES_META, _CLIENT_META, *_TRACE_META})
# What a client may be capable of, with what may be said of each.
_CAPABILITIES: Mapping[str, frozenset[str]] = {
    "elicitation": frozenset({"form", "url"}),
    "sampling": frozenset({"context", "tools"}),
}
# Their details are anybody's, as long as they are objects.
_OPEN_CAPABILITIES = frozenset({"extensions", "experimental"})
_CLIENT = frozenset({"name", "version", "title", "description", "websiteUrl"})
_LARGEST_ID = 1 << 62

_encode = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that was recognised."""

    id: int | str
    name: str
    arguments: Mapping[str, Any]
    asked: asks.Asks = asks.NOTHING


def read_headers(headers: Sequence[tuple[bytes, bytes]]) -> Mapping[bytes, bytes] | None:
    """Return a request's headers, whose names are in lower case; none unless they are those of a usual call."""
    found = dict(headers)
    if len(found) != len(headers) or not found.keys() <= _KNOWN or b"host" not in found:
        return None
    for name, allowed in _REQUIRED.items():
        if found.get(name) not in allowed:
            return None
    return found if found.get(b"connection", b"") in _CONNECTIONS else None


def declared_length(headers: Mapping[bytes, bytes]) -> int:
    """Return how long the body is; 0 when that is not said, or not in a usual way."""
    text = headers.get(b"content-length", b"")
    return int(text) if text.isdigit() and len(text) < 9 else 0  # noqa: PLR2004 - longer is not recognised anyway


def find_call(body: bytes, headers: Mapping[bytes, bytes]) -> Call | None:
    """Return the call that a body asks for; none unless it is a usual one and agrees with its headers."""
    try:
        # Halves of surrogate pairs are the one thing that JSON can say and UTF-8 cannot.
        if b"\\ud" in body or b"\\uD" in body:
            return None
        document = json.loads(body.decode())
    except (ValueError, RecursionError):
        return None
    if type(document) is not dict or document.keys() != _ENVELOPE or document["jsonrpc"] != "2.0":
        return None
    params, identity = document["params"], document["id"]
    if document["method"] != _METHOD or not _is_id(identity) or not _are_params(params):
        return None
    name = params["name"]
    if not name.isascii() or name.encode() != headers.get(b"mcp-name"):
        return None
    return Call(
        id=identity,
        name=name,
        arguments=params.get("arguments") or {},
        asked=_find_trace(params["_meta"], headers),
    )


def _find_trace(meta: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> asks.Asks:
    if b"traceparent" not in headers:
        return asks.parse_asks(meta, None) if "traceparent" in meta else asks.NOTHING
    told = {name: headers.get(name.encode(), b"").strip().decode("latin-1") for name in _TRACE_META}
    return asks.parse_asks(meta, told)


def _is_id(value: Any) -> bool:
    # `type`, because to Python True is an int, and to JSON-RPC it is not.
    return type(value) is str or (type(value) is int and abs(value) < _LARGEST_ID)


def _are_params(value: Any) -> bool:
    if type(value) is not dict or not value.keys() <= _PARAMS:
        return False
    arguments = value.get("arguments")
    if type(value.get("name")) is not str or not (arguments is None or type(arguments) is dict):
        return False
    meta = value.get("_meta")
    return (
        type(meta) is dict
        and meta.keys() <= _META
        and meta.get(_VERSION_META) == _REVISION
        and all(type(meta.get(each, "")) is str for each in _TRACE_META)
        and _are_capabilities(meta.get(_CAPABILITIES_META))
        and (_CLIENT_META not in meta or _is_client(meta[_CLIENT_META]))
    )


def _are_capabilities(value: Any) -> bool:
    if type(value) is not dict:
        return False
    for name, details in value.items():
        if type(details) is not dict or not all(type(each) is dict for each in details.values()):
            return False
        if name not in _OPEN_CAPABILITIES and not details.keys() <= _CAPABILITIES.get(name, frozenset()):
            return False
        if name not in _OPEN_CAPABILITIES and any(details.values()):
            return False
    return True


def _is_client(value: Any) -> bool:
    if type(value) is not dict or not value.keys() <= _CLIENT or not {"name", "version"} <= value.keys():
        return False
    return all(type(each) is str for each in value.values())


class Renderer:
    """Renders answers of one server: the very bytes that the SDK sends."""

    def __init__(self, who: Identity) -> None:
        stamp = f'"{_SERVER_INFO}":{_encode(asdict(who))}}}'
        self._good = f'"_meta":{{{stamp}'
        self._bad = {each: f'"_meta":{{"{VERDICT_META}":"{each.value}",{stamp}' for each in Verdict}

    def render(self, identity: int | str, answer: Answer) -> bytes:
        """Return the JSON-RPC response."""
        head = f'{{"jsonrpc":"2.0","id":{_encode(identity)},"result":{{'
        content = f'"content":[{{"text":{_encode(answer.text)},"type":"text"}}]'
        if answer.verdict is Verdict.OK:
            structured = _encode(answer.structured)
            said = f'{content},"isError":false,"resultType":"complete","structuredContent":{structured},{self._good}'
        else:
            said = f'{self._bad[answer.verdict]},{content},"isError":true,"resultType":"complete"'
        return f"{head}{said}}}}}".encode()
