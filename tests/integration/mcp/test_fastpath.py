"""The fast path and the SDK get the same requests, and say the same, byte by byte."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.parts import FakePool, echo, hang, make_contract, make_function, until
from tests.fakes.site import RunningSite, run_site
from tests.integration.mcp.requests import render_call
from wasmoor_runtime import events
from wasmoor_runtime.contract.document import CallLimits
from wasmoor_runtime.host.component import CANCELLED
from wasmoor_runtime.ports import Outcome, Verdict
from wasmoor_runtime.settings import Drain

Request = tuple[dict[str, str], Any]
META = "_meta"
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"


def render(request: Request, *, close: bool = True) -> bytes:
    headers, body = request
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    ending = {"connection": "close"} if close else {}
    lines = {"host": "localhost", "content-length": str(len(data)), **headers, **ending}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return b"POST /mcp HTTP/1.1\r\n" + head.encode("utf-8", "replace") + b"\r\n" + data


async def ask(site: RunningSite, data: bytes) -> bytes:
    """Return all that is answered on a connection, without the date."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(data)
    async with asyncio.timeout(20):
        answer = await reader.read()
    writer.close()
    head, blank, body = answer.partition(b"\r\n\r\n")
    return b"\r\n".join(line for line in head.split(b"\r\n") if not line.startswith(b"date:")) + blank + body


def took_the_fast_path(site: RunningSite) -> bool:
    """Return whether the SDK has not been asked for yet."""
    return not site.serving._endpoints["/mcp"]._wanted.is_set()


@asynccontextmanager
async def both(behaviours: Mapping[str, Any] | None = None, **options: Any) -> AsyncIterator[list[RunningSite]]:
    """Run a site with the fast path and one without."""
    functions = [make_function("shout")]
    async with (
        run_site(FakePool(functions, behaviours), **options) as fast,
        run_site(FakePool(functions, behaviours), fast_path=False, **options) as slow,
    ):
        yield [fast, slow]


OUTCOMES = [
    Outcome(verdict=Verdict.OK, payload=b'{"result":{"a":null,"b":[1,2.5,1e300,"\xc3\xa9\xf0\x9f\x98\x80",true]}}'),
    Outcome(verdict=Verdict.OK, payload=b'{"result": null}'),
    Outcome(verdict=Verdict.OK, payload=b"[1]"),
    Outcome(verdict=Verdict.OK, payload=b"\xff"),
    Outcome(verdict=Verdict.OK, payload=b'{"result":"' + b"x" * 200_000 + b'"}'),
    Outcome(verdict=Verdict.COMPONENT_ERROR, payload=b'{"error":"\xe2\x82\xac"}'),
    *(Outcome(verdict=each, message='why "so"?') for each in Verdict if each is not Verdict.OK),
]


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome.verdict.value)
async def test_every_outcome_is_told_in_the_same_bytes(outcome: Outcome) -> None:
    async def behave(_: Mapping[str, Any]) -> Outcome:
        return outcome

    async with both({"shout": behave}) as sites:
        answers = [await ask(site, render(render_call("auto"))) for site in sites]
        assert answers[0] == answers[1]
        assert [took_the_fast_path(site) for site in sites] == [True, False]
        assert sites[0].recorder.calls() == sites[1].recorder.calls()


@pytest.mark.parametrize(
    "arguments", [{"text": "hi"}, {"text": 5}, {}, {"text": "x", "y": 1}, {"text": "\u00e9" * 5000}]
)
@pytest.mark.parametrize("identity", [1, -5, 0, "one", "é\n", ""])
async def test_calls_with_any_id_and_arguments_are_answered_alike(identity: Any, arguments: dict[str, Any]) -> None:
    headers, body = render_call("auto")
    body["id"], body["params"]["arguments"] = identity, arguments
    async with both() as sites:
        answers = [await ask(site, render((headers, body))) for site in sites]
        assert answers[0] == answers[1]
        assert took_the_fast_path(sites[0])
        assert sites[0].recorder.calls() == sites[1].recorder.calls()


@pytest.mark.parametrize("where", ["meta", "headers"])
async def test_calls_of_a_trace_are_answered_and_told_alike(where: str) -> None:
    headers, body = render_call("auto")
    carried = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "vendor=1"}
    if where == "meta":
        body["params"][META] |= carried
    else:
        headers |= carried
    async with both() as sites:
        answers = [await ask(site, render((headers, body))) for site in sites]
        assert answers[0] == answers[1]
        assert took_the_fast_path(sites[0])
        told = [
            event.trace for site in sites for event in site.recorder.heard if isinstance(event, events.FunctionCalled)
        ]
    assert told == [events.Trace(carried["traceparent"], "vendor=1")] * 2


def unusual_requests() -> dict[str, Request]:
    headers, body = render_call("auto")
    legacy = render_call("legacy")

    def changed(**changes: Any) -> Request:
        return headers, {**body, **changes}

    def with_params(**changes: Any) -> Request:
        return headers, {**body, "params": {**body["params"], **changes}}

    def with_meta(**changes: Any) -> Request:
        return with_params(_meta={**body["params"][META], **changes})

    def with_headers(**changes: str) -> Request:
        return headers | {name.replace("_", "-"): value for name, value in changes.items()}, body

    return {
        "legacy": legacy,
        "list": (headers | {"mcp-method": "tools/list"}, {**body, "method": "tools/list"}),
        "unknown method": (headers | {"mcp-method": "x/y"}, {**body, "method": "x/y"}),
        "unknown tool": (headers | {"mcp-name": "nope"}, with_params(name="nope")[1]),
        "mismatch": with_params(name="nope"),
        "encoded name": with_headers(mcp_name="=?base64?c2hvdXQ=?="),
        "batch": (headers, [body]),
        "no json": (headers, b"{"),
        "empty": (headers, b""),
        "notification": (headers, {k: v for k, v in body.items() if k != "id"}),
        "null id": changed(id=None),
        "progress": with_meta(progressToken="p"),
        "no trace": with_meta(traceparent=7),
        "usage": with_meta(**{"wasmoor.dev/usage": True}),
        "retry": with_params(inputResponses={}, requestState="s"),
        "capabilities": with_meta(**{CAPABILITIES: {"sampling": 1}}),
        "other version": with_headers(mcp_protocol_version="2027-01-01"),
        "origin": with_headers(origin="http://localhost"),
        "foreign origin": with_headers(origin="http://evil.test"),
        "parameter": with_headers(mcp_param_text="hi"),
        "expect": with_headers(expect="100-continue"),
        "type": with_headers(content_type="text/plain"),
        "accept": with_headers(accept="application/json"),
        "surrogate": with_params(arguments={"text": "\ud800"}),
        "large": with_params(arguments={"text": "x" * 100_000}),
    }


@pytest.mark.parametrize("name", unusual_requests())
async def test_what_is_unusual_is_left_to_the_sdk(name: str) -> None:
    data = render(unusual_requests()[name])
    async with both(contract=make_contract(limits=CallLimits(request_bytes=1_000_000))) as sites:
        answers = [await ask(site, data) for site in sites]
        assert answers[0] == answers[1]
        assert sites[0].recorder.calls() == sites[1].recorder.calls()
        refused_before_the_sdk = answers[0].startswith(b"HTTP/1.1 403")
        assert took_the_fast_path(sites[0]) == refused_before_the_sdk


JSON: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.just({}) | st.just([])
)
PLACES = ((), ("params",), ("params", "arguments"), ("params", META), ("params", META, CAPABILITIES))
NAMES = (
    "jsonrpc", "id", "method", "params", "name", "arguments", "text", META, "progressToken", CAPABILITIES,
    "io.modelcontextprotocol/protocolVersion", "io.modelcontextprotocol/clientInfo", "requestState", "sampling", "x",
)  # fmt: skip
HEADERS = (
    "accept", "content-type", "mcp-protocol-version", "mcp-method", "mcp-name", "mcp-param-text", "user-agent",
    "x-request-id", "origin", "te",
)  # fmt: skip
BODY_CHANGE = st.tuples(st.sampled_from(PLACES), st.sampled_from(NAMES), JSON | st.just(...))
HEADER_CHANGE = st.tuples(
    st.sampled_from(HEADERS), st.sampled_from(["", "*/*", "a", "shout", "shout ", "tools/call", "2026-07-28"])
)
CUT = st.none() | st.integers(0, 200)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Return a usual call after a few changes."""
    headers, body = copy.deepcopy(render_call("auto"))
    for place, name, value in draw(st.lists(BODY_CHANGE, max_size=2)):
        target: Any = body
        for step in place:
            target = target.get(step) if isinstance(target, dict) else None
        if isinstance(target, dict) and value is ...:
            target.pop(name, None)
        elif isinstance(target, dict):
            target[name] = value
    headers |= dict(draw(st.lists(HEADER_CHANGE, max_size=1)))
    data = json.dumps(body, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    return render((headers, data[: draw(CUT)]))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(mutated(), min_size=15, max_size=25))
def test_changed_calls_are_answered_alike(requests: Sequence[bytes]) -> None:
    async def compare() -> None:
        async with both() as sites:
            for data in requests:
                answers = [await ask(site, data) for site in sites]
                assert answers[0] == answers[1], data
            assert sites[0].recorder.calls() == sites[1].recorder.calls()

    asyncio.run(compare())


async def test_a_body_in_pieces_is_put_together() -> None:
    data = render(render_call("auto"))
    async with run_site(FakePool([make_function("shout")])) as site:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        for start in range(0, len(data), 97):
            writer.write(data[start : start + 97])
            await writer.drain()
            await asyncio.sleep(0.001)
        assert (await reader.read()).startswith(b"HTTP/1.1 200 OK\r\n")
        writer.close()
        assert took_the_fast_path(site)


async def test_a_body_that_is_late_is_waited_for_by_the_application() -> None:
    data = render(render_call("auto"))
    async with run_site(FakePool([make_function("shout")])) as site:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(data[:-20])
        protocol = await until_connected(site)
        await until(lambda: protocol.cycle is not None)
        writer.write(data[-20:])
        assert b'"isError":false' in await reader.read()
        writer.close()
        assert not took_the_fast_path(site)


async def until_connected(site: RunningSite) -> Any:
    """Return the server's side of the only connection."""
    import gc

    from wasmoor_runtime.mcp.fastpath_http import Protocol

    def find() -> list[Any]:
        return [
            each
            for each in gc.get_objects()
            if isinstance(each, Protocol) and each._fast is site.serving._fast and each.parser is not None
        ]

    await until(find)
    return find()[0]


async def test_requests_on_one_connection_are_answered_in_order_even_when_sent_at_once() -> None:
    requests = []
    for number in range(6):
        headers, body = copy.deepcopy(render_call("auto"))
        body["id"] = number
        requests.append(render((headers, body), close=number == 5))
    async with both() as sites:
        for site in sites:
            reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
            writer.write(b"".join(requests))
            async with asyncio.timeout(20):
                answer = await reader.read()
            ids = [int(part.partition(b",")[0]) for part in answer.split(b'"id":')[1:]]
            assert ids == [0, 1, 2, 3, 4, 5]
            writer.close()


async def test_one_connection_serves_many_calls() -> None:
    async with run_site(FakePool([make_function("shout")])) as site:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        for _ in range(50):
            writer.write(render(render_call("auto"), close=False))
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            assert json.loads(await reader.readexactly(length))["result"]["isError"] is False
        writer.close()
        assert took_the_fast_path(site)
        assert len(site.recorder.calls()) == 50


async def test_a_client_that_leaves_ends_its_call() -> None:
    pool = FakePool([make_function("shout")], {"shout": hang})
    async with run_site(pool) as site:
        _, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(render(render_call("auto")))
        await until(lambda: pool.calls)
        writer.close()
        await until(lambda: pool.cancelled)
        assert site.recorder.calls() == [("shout", CANCELLED)]
        assert took_the_fast_path(site)


async def test_while_the_process_drains_an_answer_closes_its_connection() -> None:
    async with both(drain=Drain(delay_seconds=0.3, stop_seconds=1)) as sites:
        for site in sites:
            site.serving.stop()
        await until(lambda: all(site.serving._router.draining for site in sites))
        answers = [await ask(site, render(render_call("auto"), close=False)) for site in sites]
        assert answers[0] == answers[1]
        assert b"connection: close\r\n" in answers[0]
        assert took_the_fast_path(sites[0])


async def test_a_call_that_runs_when_the_process_stops_is_answered_first() -> None:
    released = asyncio.Event()

    async def wait(arguments: Mapping[str, Any]) -> Outcome:
        await released.wait()
        return await echo(arguments)

    pool = FakePool([make_function("shout")], {"shout": wait})
    async with run_site(pool, drain=Drain(delay_seconds=0, stop_seconds=20)) as site:
        asking = asyncio.create_task(ask(site, render(render_call("auto"), close=False)))
        await until(lambda: pool.calls)
        site.serving.stop()
        await until(lambda: site.serving._router.draining)
        released.set()
        answer = await asking
        await site.task
    assert b"connection: close\r\n" in answer
    assert b'"isError":false' in answer


async def test_a_long_call_becomes_a_stream_that_is_kept_alive() -> None:
    released = asyncio.Event()

    async def wait(arguments: Mapping[str, Any]) -> Outcome:
        await released.wait()
        return await echo(arguments)

    async with run_site(FakePool([make_function("shout")], {"shout": wait})) as site:
        site.serving._fast.ping_seconds = 0.02
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(render(render_call("auto"), close=False))
        head = await reader.readuntil(b"\r\n\r\n")
        ping = b"a\r\n: ping\r\n\r\n\r\n"
        assert await reader.readexactly(3 * len(ping)) == 3 * ping
        released.set()
        rest = await reader.readuntil(b"0\r\n\r\n")
        writer.write(render(render_call("auto")))
        following = await reader.read()
        writer.close()
    assert b"content-type: text/event-stream\r\n" in head
    assert b"transfer-encoding: chunked\r\n" in head
    assert rest.count(b"event: message\r\ndata: {") == 1
    assert b'"structuredContent":{"result":"hi"}' in rest
    assert following.startswith(b"HTTP/1.1 200 OK\r\n")


async def test_the_host_is_checked_where_the_sdk_checks_it() -> None:
    headers, body = render_call("auto")
    async with both(check_host=True) as sites:
        for host in ("localhost:1", "evil.test"):
            answers = [await ask(site, render((headers | {"host": host}, body))) for site in sites]
            assert answers[0] == answers[1]
        assert took_the_fast_path(sites[0])
