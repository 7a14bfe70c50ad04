"""What a real pod tells of its calls: in answers, on its admin port, in its log, to a sink and to a collector."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.integration.mcp import pods
from tests.integration.mcp.requests import render_call
from tests.integration.telemetry.receivers import Receiver, receive

pytestmark = pytest.mark.integration

TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"


async def call(
    pod: pods.Pod, tool: str, arguments: dict[str, Any], *, meta: dict[str, Any] | None = None, **headers: str
) -> dict[str, Any]:
    """Return the result of one raw call of the newest revision."""
    told, body = render_call("auto")
    body["params"] |= {"name": tool, "arguments": arguments}
    body["params"]["_meta"] |= meta or {}
    async with httpx2.AsyncClient(timeout=30) as client:
        answer = await client.post(pod.url, json=body, headers={**told, "mcp-name": tool, **headers})
    text = answer.text
    document = text if text.startswith("{") else text.partition("data: ")[2].splitlines()[0]
    result: dict[str, Any] = httpx2.Response(200, text=document).json()["result"]
    return result


async def read_metrics(pod: pods.Pod) -> str:
    async with httpx2.AsyncClient() as client:
        return (await client.get(f"{pod.admin}/metrics")).text


async def stop(pod: pods.Pod) -> None:
    pod.terminate()
    async with asyncio.timeout(30):
        await pod.process.wait()


async def test_who_asks_is_told_what_the_call_used_and_nobody_else(tmp_path: Path) -> None:
    contract = pods.write_contract(tmp_path, "hog", {"memoryBytes": 16 * 1024 * 1024, "fuel": 100_000_000})
    async with pods.run_pod(tmp_path, contract) as pod:
        asked = await call(pod, "hog", {}, meta={"wasmoor.dev/usage": True})
        plain = await call(pod, "hog", {})
        page = await read_metrics(pod)
        memory = (await pod.status()).memory

    usage = asked["_meta"]["wasmoor.dev/usage"]
    assert asked["structuredContent"] == {"result": 256}
    assert 16 * 1024 * 1024 <= usage["memoryBytes"] < 20 * 1024 * 1024
    assert usage["cpuSeconds"] > 0
    assert usage["fuel"] > 1000
    assert (usage["ioOperations"], usage["ioBytes"]) == (0, 0)
    assert usage["seconds"] >= usage["cpuSeconds"] / 4
    assert "wasmoor.dev/usage" not in plain.get("_meta", {})
    assert memory.peak_bytes >= 16 * 1024 * 1024
    assert (memory.current_bytes, memory.active_instances) == (0, 0)
    labels = 'component="tools/hog",tool="hog"'
    assert f"wasmoor_execution_fuel_total{{{labels}}}" in page
    assert f"wasmoor_execution_duration_seconds_count{{{labels}}} 2.0" in page
    assert 'wasmoor_memory_usage_bytes{component="tools/hog"} 0.0' in page
    assert 'wasmoor_active_instances{component="tools/hog"} 0.0' in page
    assert 'wasmoor_load_duration_seconds_count{component="tools/hog"} 1.0' in page
    assert 'wasmoor_loads_total{component="tools/hog"} 1.0' in page


async def test_instances_that_run_and_what_they_hold_are_seen_while_they_do(tmp_path: Path) -> None:
    contract = pods.write_contract(tmp_path, "sleep", {})
    async with pods.run_pod(tmp_path, contract) as pod:
        running = [asyncio.create_task(call(pod, "sleep", {"milliseconds": 60_000})) for _ in range(2)]
        await pod.until(lambda status: status.memory.active_instances == 2)
        page = await read_metrics(pod)
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    assert 'wasmoor_active_instances{component="tools/sleep"} 2.0' in page


async def test_calls_beyond_the_rate_are_refused_with_when_to_try_again(tmp_path: Path) -> None:
    contract = pods.write_contract(tmp_path, "spin", {"callsPerSecond": 1})
    async with pods.run_pod(tmp_path, contract) as pod:
        answers = await asyncio.gather(*(call(pod, "ping", {}) for _ in range(5)))
        page = await read_metrics(pod)

    refused = [answer for answer in answers if answer["isError"]]
    assert refused
    assert refused[0]["_meta"]["wasmoor.dev/verdict"] == "RateLimited"
    assert refused[0]["content"][0]["text"].startswith("RateLimited: 1 calls a second are allowed: try again in ")
    assert f'tool="ping",verdict="RateLimited"}} {len(refused)}.0' in page


async def test_a_pod_sends_its_events_and_logs_them_where_it_is_asked(tmp_path: Path) -> None:
    contract = pods.write_contract(tmp_path, "spin", {})
    with receive() as receiver:
        options = ("--events-sink", receiver.url, "--log-level", "TRACE")
        async with pods.run_pod(tmp_path, contract, *options) as pod:
            await call(pod, "ping", {}, traceparent=PARENT)
            page = await read_metrics(pod)
            await stop(pod)

    kinds = [document["type"].removeprefix("dev.wasmoor.") for document in receiver.documents]
    assert kinds == [
        "component.discovered", "component.loading", "component.loaded", "component.registered",
        "function.called", "function.completed", "component.unloaded",
    ]  # fmt: skip
    assert receiver.documents[4]["traceparent"] == PARENT
    assert 'wasmoor_events_dropped_total{cause="full"} 0.0' in page
    traced = [line for line in pods.read_log(tmp_path) if line["level"] == "trace"]
    names = [line["message"] for line in traced if line["logger"] == "wasmoor.lifecycle"]
    assert names == [kind.replace(".", "_") for kind in kinds]
    assert traced[0]["uri"] == "oci://registry.invalid/spin:1"


async def test_a_pod_with_a_sink_that_never_answers_answers_its_calls(tmp_path: Path) -> None:
    contract = pods.write_contract(tmp_path, "spin", {})
    with receive(held=True) as receiver:
        async with pods.run_pod(tmp_path, contract, "--events-sink", receiver.url) as pod:
            for _ in range(50):
                assert (await call(pod, "ping", {}))["structuredContent"] == {"result": "pong"}
            page = await read_metrics(pod)

    assert "wasmoor_events_sent_total 0.0" in page


@pytest.mark.parametrize("where", ["meta", "header"])
async def test_a_pod_continues_a_trace_and_sends_its_spans_to_a_collector(tmp_path: Path, where: str) -> None:
    contract = pods.write_contract(tmp_path, "spin", {})
    with receive() as receiver:
        environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url.partition("/hook")[0]}
        async with pods.run_pod(tmp_path, contract, environment=environment) as pod:
            carried: dict[str, Any] = {"traceparent": PARENT, "tracestate": "vendor=1"}
            if where == "meta":
                await call(pod, "ping", {}, meta=carried)
            else:
                await call(pod, "ping", {}, **carried)
            await stop(pod)

    spans = {span.name: span for span in read_spans(receiver)}
    assert set(spans) == {"load tools/spin", "execute_tool ping"}
    called = spans["execute_tool ping"]
    assert (called.trace_id.hex(), called.parent_span_id.hex()) == (TRACE_ID, SPAN_ID)
    assert called.trace_state == "vendor=1"
    assert called.end_time_unix_nano > called.start_time_unix_nano


def read_spans(receiver: Receiver) -> list[Any]:
    """Return the spans that a collector was sent."""
    assert all(path == "/v1/traces" for path, _, _ in receiver.requests)
    sent = [ExportTraceServiceRequest.FromString(body) for _, _, body in receiver.requests]
    return [
        span
        for request in sent
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--events-sink", "events.example"), "error: the events' URL must begin with http:// or https://"),
        (("--events-sink", "http://u:p@events.example"), "error: the events' URL must not hold a password"),
    ],
)
async def test_a_sink_that_cannot_be_is_told_in_one_line(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    code, stderr = await pods.run_words("--contract", "none.json", "--cache", str(tmp_path), *words)

    assert code == 2
    assert stderr.startswith(said)
    assert stderr.count("\n") == 1


async def test_a_pod_without_an_exporter_loads_nothing_of_opentelemetry_s_sdk() -> None:
    program = (
        "import sys; from wasmoor_runtime.telemetry.observers import Observers, Wishes;"
        "Observers(tuple, Wishes(), {}, version='0'); sys.exit('opentelemetry.sdk' in sys.modules)"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)

    assert await process.wait() == 0
