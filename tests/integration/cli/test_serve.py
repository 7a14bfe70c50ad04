"""What `wasmoor serve` does while its manifests change, and what it serves together."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
from pathlib import Path
from typing import Any, TextIO

import mcp_types as types
import pytest
from mcp import StdioServerParameters
from mcp.client import Client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

from tests.integration.cli.commands import (
    SECONDS,
    Served,
    build_component,
    command,
    render_manifest,
    run,
    serving,
)

POLICY = """
apiVersion: wasmoor.dev/v1alpha1
kind: ComponentPolicy
metadata: {{name: everybody, namespace: tools}}
spec: {{default: true, limits: {{executionTimeout: {timeout}}}}}
---
"""


def write(folder: Path, name: str, text: str) -> None:
    """Write a manifest as editors do: beside, then renamed."""
    (folder / f".{name}.new").write_text(text, "utf-8")
    (folder / f".{name}.new").rename(folder / name)


def sleeper(folder: Path, name: str = "naps", **more: str) -> str:
    return render_manifest(name, f'file: {{path: "{folder}/sleep.wasm"}}', **more)


def contract_of(served: Served, name: str) -> str:
    return str(served.status().get(name, {}).get("contract", ""))


async def list_names(url: str) -> list[str]:
    async with Client(streamable_http_client(url)) as client:
        return [tool.name for tool in (await client.list_tools()).tools]


def test_a_changed_manifest_takes_its_place_without_dropping_a_call_and_others_stay(tmp_path: Path) -> None:
    build_component(tmp_path, "sleep")
    write(tmp_path, "a.yaml", sleeper(tmp_path))
    write(tmp_path, "b.yaml", sleeper(tmp_path, "other"))
    with serving(tmp_path) as served:
        before = {name: contract_of(served, name) for name in ("tools/naps", "tools/other")}
        pid_of_other = served.status()["tools/other"]["workers"]
        url, codes = served.url("/tools/naps/mcp"), []
        stop = threading.Event()

        def keep_calling() -> None:
            while not stop.is_set():
                codes.append(run("call", url, "sleep", "--param", "milliseconds=50").returncode)

        caller = threading.Thread(target=keep_calling)
        caller.start()
        write(tmp_path, "a.yaml", sleeper(tmp_path, more='execution: {timeout: "7s"}'))
        served.until(lambda: contract_of(served, "tools/naps") != before["tools/naps"], "the change")
        served.until(lambda: len(codes) > 3, "a few calls")
        stop.set()
        caller.join()
        assert set(codes) == {0}
        assert contract_of(served, "tools/other") == before["tools/other"]
        assert served.status()["tools/other"]["workers"] == pid_of_other


def test_a_changed_policy_reaches_those_it_applies_to(tmp_path: Path) -> None:
    build_component(tmp_path, "sleep")
    write(tmp_path, "a.yaml", sleeper(tmp_path))
    write(tmp_path, "policy.yaml", POLICY.format(timeout="9s"))
    with serving(tmp_path) as served:
        before = contract_of(served, "tools/naps")
        write(tmp_path, "policy.yaml", POLICY.format(timeout="100ms"))
        served.until(lambda: contract_of(served, "tools/naps") != before, "the change")
        result = run("call", served.url("/tools/naps/mcp"), "sleep", "--param", "milliseconds=5000")
        assert (result.returncode, result.stderr[:16]) == (4, "ExecutionTimeout")


def test_a_version_that_cannot_be_served_leaves_the_one_before(tmp_path: Path) -> None:
    build_component(tmp_path, "sleep")
    build_component(tmp_path, "needs-unknown")
    write(tmp_path, "a.yaml", sleeper(tmp_path))
    with serving(tmp_path) as served:
        before = contract_of(served, "tools/naps")
        log = follow(served)
        write(tmp_path, "a.yaml", sleeper(tmp_path).replace("sleep.wasm", "needs-unknown.wasm"))
        served.until(lambda: "the version before goes on" in "".join(log), "the refusal")
        assert "UnsupportedInterface" in "".join(log)
        write(tmp_path, "a.yaml", "kind: [")
        served.until(lambda: "what runs goes on" in "".join(log), "the complaint")
        assert contract_of(served, "tools/naps") == before
        assert run("call", served.url("/tools/naps/mcp"), "sleep", "--param", "milliseconds=1").returncode == 0


def follow(served: Served) -> list[str]:
    """Return the log's lines, which grow while the process runs."""
    lines: list[str] = []
    stream = served.process.stderr
    assert stream is not None

    def gather() -> None:
        for line in stream:
            lines.append(line)  # noqa: PERF402 - each as it comes

    threading.Thread(target=gather, daemon=True).start()
    return lines


async def test_components_that_come_and_go_are_served_and_not_and_are_listed_together(tmp_path: Path) -> None:
    build_component(tmp_path, "sleep")
    write(tmp_path, "a.yaml", sleeper(tmp_path))
    with serving(tmp_path) as served:
        shared = served.url("/mcp")
        assert await list_names(shared) == ["naps__sleep"]
        write(tmp_path, "b.yaml", sleeper(tmp_path, "more"))
        served.until(lambda: "tools/more" in served.status() and served.is_ready(), "the new one")
        assert await list_names(shared) == ["more__sleep", "naps__sleep"]
        called = run("call", shared, "more__sleep", "--param", "milliseconds=2")
        assert (called.returncode, json.loads(called.stdout)) == (0, {"result": 2})
        (tmp_path / "a.yaml").unlink()
        served.until(lambda: "tools/naps" not in served.status(), "the removal")
        assert await list_names(shared) == ["more__sleep"]
        assert run("call", served.url("/tools/naps/mcp"), "sleep").returncode == 3


async def test_a_name_that_two_tools_would_have_is_served_for_neither_and_said_with_both(tmp_path: Path) -> None:
    build_component(tmp_path, "sleep")
    write(tmp_path, "a.yaml", sleeper(tmp_path) + sleeper(tmp_path, namespace="other") + sleeper(tmp_path, "fine"))
    with serving(tmp_path) as served:
        assert await list_names(served.url("/mcp")) == ["fine__sleep"]
        assert await list_names(served.url("/other/naps/mcp")) == ["sleep"]
        served.process.terminate()
        _, stderr = served.process.communicate(timeout=SECONDS)
    assert "sleep of other/naps and sleep of tools/naps would both be naps__sleep" in stderr


async def test_a_file_that_is_built_again_is_served_again(tmp_path: Path) -> None:
    file = build_component(tmp_path, "sleep")
    write(tmp_path, "a.yaml", sleeper(tmp_path))
    with serving(tmp_path) as served:
        assert await list_names(served.url("/tools/naps/mcp")) == ["sleep"]
        build_component(tmp_path, "trap").rename(file)
        served.until(lambda: served.status()["tools/naps"]["tools"][0]["name"] == "trap", "a change")
        assert await list_names(served.url("/mcp")) == ["naps__trap", "naps__ping"]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_desktop_clients_get_all_tools_on_standard_output(tmp_path: Path, mode: Any) -> None:
    build_component(tmp_path, "sleep")
    write(tmp_path, "a.yaml", sleeper(tmp_path) + sleeper(tmp_path, "more"))
    with (tmp_path / "log").open("w") as log:
        async with Client(start_stdio(tmp_path, log), mode=mode) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
            result = await client.call_tool("naps__sleep", {"milliseconds": 3})
    assert names == ["more__sleep", "naps__sleep"]
    assert result.structured_content == {"result": 3}
    assert "Traceback" not in (tmp_path / "log").read_text("utf-8")


async def test_a_desktop_client_is_told_that_the_tools_have_changed(tmp_path: Path) -> None:
    build_component(tmp_path, "sleep")
    write(tmp_path, "a.yaml", sleeper(tmp_path))
    told = asyncio.Event()

    async def hear(message: object) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            told.set()

    with (tmp_path / "log").open("w") as log:
        async with Client(start_stdio(tmp_path, log), mode="legacy", message_handler=hear, cache=None) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["naps__sleep"]
            write(tmp_path, "b.yaml", sleeper(tmp_path, "more"))
            async with asyncio.timeout(SECONDS):
                await told.wait()
            assert [tool.name for tool in (await client.list_tools()).tools] == ["more__sleep", "naps__sleep"]


def start_stdio(folder: Path, log: TextIO) -> Any:
    program, *words = command("serve", "-f", str(folder), "--stdio", "--cache", str(folder / "cache"))
    return stdio_client(StdioServerParameters(command=program, args=words), errlog=log)


def test_nothing_but_the_protocol_is_on_standard_output_and_it_ends_with_its_input(tmp_path: Path) -> None:
    build_component(tmp_path, "sleep")
    write(tmp_path, "a.yaml", sleeper(tmp_path))
    request = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "0"},
        },
    }
    words = command("serve", "-f", str(tmp_path), "--stdio", "--cache", str(tmp_path / "cache"))
    given = f"{json.dumps(request)}\n"
    result = subprocess.run(words, input=given, capture_output=True, text=True, timeout=SECONDS, check=False)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["id"] for line in lines] == [1]
    assert lines[0]["result"]["capabilities"]["tools"] == {"listChanged": True}
    assert result.returncode == 0
