from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client import Client

from tests.integration.mcp import pods
from tests.integration.mcp.requests import render_call


async def call(url: str, tool: str, arguments: dict[str, Any], mode: str = "auto") -> Any:
    async with Client(url, mode=mode) as client:
        return await client.call_tool(tool, arguments)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_real_component_is_listed_and_called(tmp_path: Path, mode: str) -> None:
    contract = pods.write_contract(tmp_path, "sleep", {})
    async with pods.run_pod(tmp_path, contract) as pod:
        async with Client(pod.url, mode=mode) as client:
            (tool,) = (await client.list_tools()).tools
            result = await client.call_tool("sleep", {"milliseconds": 3})
        assert tool.name == "sleep"
        assert tool.meta == {"wasmoor.dev/tool": "sleep:sleep"}
        assert result.structured_content == {"result": 3}
        status = await pod.status()
        assert (status.phase, status.ready, status.tool_count) == ("Running", True, 1)
        assert "wasmtime" not in pod.read_maps()


async def test_a_call_at_its_deadline_is_ended_while_others_are_answered(tmp_path: Path) -> None:
    contract = pods.write_contract(tmp_path, "sleep", {"timeoutSeconds": 1})
    async with pods.run_pod(tmp_path, contract) as pod:
        long = asyncio.create_task(call(pod.url, "sleep", {"milliseconds": 60_000}))
        short = await asyncio.gather(*(call(pod.url, "sleep", {"milliseconds": 5}) for _ in range(10)))
        result = await long
        assert [answer.structured_content for answer in short] == [{"result": 5}] * 10
        assert result.is_error is True
        assert result.content[0].text.startswith("ExecutionTimeout: ")
        assert (await call(pod.url, "sleep", {"milliseconds": 1})).is_error is False


async def test_a_client_that_leaves_has_its_worker_ended(tmp_path: Path) -> None:
    contract = pods.write_contract(tmp_path, "sleep", {"timeoutSeconds": 600})
    async with pods.run_pod(tmp_path, contract) as pod:
        headers, body = render_call("auto")
        headers["mcp-name"] = body["params"]["name"] = "sleep"
        body["params"]["arguments"] = {"milliseconds": 600_000}
        async with httpx2.AsyncClient() as client:
            with pytest.raises(httpx2.TimeoutException):
                await client.post(pod.url, json=body, headers=headers, timeout=0.5)
        await pod.until(lambda status: status.workers.replaced)
        workers = (await pod.status()).workers
        assert (workers.busy, workers.replaced, workers.crashed) == (0, 1, 0)


async def test_more_calls_than_run_and_wait_are_refused_at_once(tmp_path: Path) -> None:
    contract = pods.write_contract(tmp_path, "sleep", {"concurrency": 1, "queue": 0})
    async with pods.run_pod(tmp_path, contract) as pod:
        results = await asyncio.gather(*(call(pod.url, "sleep", {"milliseconds": 2000}) for _ in range(3)))
    texts = sorted(result.content[0].text.partition(":")[0] for result in results)
    assert texts == ["Busy", "Busy", '{"result"']


async def test_a_stop_under_load_loses_no_call_when_clients_follow_readiness(tmp_path: Path) -> None:
    """Two pods and clients that are sent to the ready ones, as a Service does; the first pod is told to stop."""
    contract = pods.write_contract(tmp_path, "sleep", {})
    failures: list[str] = []
    answers = {"first": 0, "second": 0}
    async with (
        pods.run_pod(tmp_path, contract, drain_delay=2.0) as first,
        pods.run_pod(tmp_path, contract) as second,
    ):
        endpoints = {"first": first, "second": second}
        finished = asyncio.Event()

        async def follow_readiness() -> None:
            while not finished.is_set():
                for name in list(endpoints):
                    if not await endpoints[name].ready():
                        # What the endpoints' way through a cluster takes.
                        await asyncio.sleep(0.5)
                        endpoints.pop(name)
                await asyncio.sleep(0.1)

        async def load(number: int) -> None:
            headers, body = render_call("auto" if number % 2 else "legacy")
            headers = {**headers, **({"mcp-name": "sleep"} if number % 2 else {})}
            body["params"]["name"], body["params"]["arguments"] = "sleep", {"milliseconds": number}
            async with httpx2.AsyncClient() as client:
                while not finished.is_set():
                    name = sorted(endpoints)[0 if number % 4 < 2 or len(endpoints) == 1 else 1]
                    try:
                        answer = await client.post(endpoints[name].url, json=body, headers=headers, timeout=20)
                        if answer.status_code != 200 or '"isError":false' not in answer.text:
                            failures.append(answer.text)
                    except httpx2.HTTPError as error:
                        failures.append(repr(error))
                    answers[name] += 1

        tasks = [asyncio.create_task(load(number)) for number in range(8)]
        tasks.append(asyncio.create_task(follow_readiness()))
        await asyncio.sleep(1)
        first.terminate()
        code = await first.process.wait()
        before = answers["second"]
        await asyncio.sleep(0.5)
        finished.set()
        await asyncio.gather(*tasks)
    assert failures == []
    assert code == 0
    assert answers["first"] > 0
    assert answers["second"] > before


async def test_a_running_call_is_answered_after_sigterm_and_the_exit_code_is_zero(tmp_path: Path) -> None:
    contract = pods.write_contract(tmp_path, "sleep", {})
    async with pods.run_pod(tmp_path, contract) as pod, Client(pod.url) as client:
        await client.list_tools()  # the client would do it after the call, to check the result
        running = asyncio.create_task(client.call_tool("sleep", {"milliseconds": 1500}))
        await pod.until(lambda status: status.workers.busy)
        pod.terminate()
        assert (await running).structured_content == {"result": 1500}
        assert await pod.process.wait() == 0
    phases = [
        line["phase"] for line in pods.read_log(tmp_path) if line["logger"] == "wasmoor.lifecycle" and "phase" in line
    ]
    assert phases[-2:] == ["Stopping", "Terminated"]


async def test_a_second_sigterm_ends_it_at_once(tmp_path: Path) -> None:
    contract = pods.write_contract(tmp_path, "sleep", {"timeoutSeconds": 600})
    async with pods.run_pod(tmp_path, contract, drain_delay=600) as pod:
        pod.terminate()
        await pod.until(lambda status: not status.ready)
        before = time.monotonic()
        pod.terminate()
        assert await pod.process.wait() == 1
        assert time.monotonic() - before < 60


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no JSON"),
        ("{}", "component: Field required"),
        ('{"version": 2}', "version: Input should be 1"),
        (json.dumps({"component": {"namespace": "a", "name": "b", "oops": 1}}), "component.oops: Extra inputs"),
    ],
)
async def test_a_contract_that_cannot_be_understood_is_one_line_and_exit_code_2(
    tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "contract.json"
    path.write_text(text, "utf-8")
    code, stderr = await pods.run_words("--contract", str(path), "--cache", str(tmp_path / "cache"))
    assert code == 2
    assert stderr.startswith(f"error: {path}: ")
    assert words in stderr
    assert stderr.count("\n") == 1


async def test_a_missing_contract_and_a_taken_port_are_one_line_each(tmp_path: Path) -> None:
    code, stderr = await pods.run_words("--contract", str(tmp_path / "nope"), "--cache", str(tmp_path))
    assert (code, stderr) == (2, f"error: {tmp_path / 'nope'}: no such file or directory\n")
    contract = pods.write_contract(tmp_path, "sleep", {})
    async with pods.run_pod(tmp_path, contract) as pod:
        port = pod.url.split(":")[2].split("/")[0]
        words = ("--contract", str(contract), "--cache", str(tmp_path), "--host", "127.0.0.1", "--port", port)
        code, stderr = await pods.run_words(*words)
    message = f"error: cannot listen on 127.0.0.1 port {port}: address already in use; choose another with --port\n"
    assert (code, stderr) == (2, message)


async def test_the_front_imports_no_wasmtime() -> None:
    program = "import sys, wasmoor_runtime.__main__; sys.exit('wasmtime' in sys.modules)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    assert await process.wait() == 0
