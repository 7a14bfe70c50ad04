"""The program that runs inside the client pod: calls tools with the official MCP client. Needs nothing but `mcp`.

    python -c PROGRAM once < CALLS       CALLS: JSON list of {url, tool, arguments}; prints the answers in order
    python -c PROGRAM load < STOP        WASMOOR_LOAD: JSON {url, tool, arguments, callers, pause}; calls until standard
                                         input ends, then prints what came of it

Handed over whole by `client_pod`; never imported there.
"""

import asyncio
import collections
import json
import os
import sys
import time
from typing import Any

import mcp


def read_answer(result: Any) -> dict[str, Any]:
    """Return what a tool answered, plainly."""
    text = "".join(block.text for block in result.content if block.type == "text")
    return {"isError": bool(result.is_error), "structured": result.structured_content, "text": text}


async def call_once(call: dict[str, Any]) -> dict[str, Any]:
    """Open a session, list the tools, call one."""
    try:
        async with asyncio.timeout(60), mcp.Client(call["url"]) as client:
            listed = await client.list_tools()
            answer = read_answer(await client.call_tool(call["tool"], call["arguments"]))
            return {**answer, "tools": sorted(tool.name for tool in listed.tools)}
    except Exception as error:  # noqa: BLE001 - whatever went wrong is the answer
        return {"failure": describe(error)}


def describe(error: BaseException) -> str:
    """Name an error and, in a group of them, what is inside."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(describe(inner) for inner in error.exceptions)
    return f"{type(error).__name__}: {error}"


class Load:
    """Callers that go on until told to stop, and what came of their calls."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        self._stopped = asyncio.Event()
        self._answers: collections.Counter[str] = collections.Counter()
        self._failures: list[str] = []
        self._slowest = 0.0

    async def run(self) -> dict[str, Any]:
        """Call until standard input ends."""
        loop = asyncio.get_running_loop()
        callers = [asyncio.create_task(self._call_on(number)) for number in range(self._plan["callers"])]
        await loop.run_in_executor(None, sys.stdin.read)
        self._stopped.set()
        await asyncio.gather(*callers)
        return {
            "answered": sum(self._answers.values()),
            "answers": dict(self._answers),
            "failed": len(self._failures),
            "failures": self._failures[:5],
            "slowest": round(self._slowest, 3),
        }

    async def _call_on(self, number: int) -> None:
        # Every other caller keeps its session, and so its connection; the others begin anew each time.
        keeps = number % 2 == 0
        while not self._stopped.is_set():
            try:
                async with mcp.Client(self._plan["url"]) as client:
                    await self._call(client)
                    while keeps and not self._stopped.is_set():
                        await self._call(client)
            except Exception as error:  # noqa: BLE001 - a failed call is what this counts
                self._failures.append(f"{time.strftime('%H:%M:%S')} {describe(error)}")
                await asyncio.sleep(0.2)

    async def _call(self, client: Any) -> None:
        began = time.monotonic()
        result = await client.call_tool(self._plan["tool"], self._plan["arguments"], read_timeout_seconds=30)
        self._slowest = max(self._slowest, time.monotonic() - began)
        answer = read_answer(result)
        if answer["isError"]:
            self._failures.append(f"{time.strftime('%H:%M:%S')} {answer['text']}")
        else:
            self._answers[json.dumps(answer["structured"])] += 1
        await asyncio.sleep(self._plan["pause"])


async def run_once() -> list[dict[str, Any]]:
    """Answer the calls on standard input, at the same time."""
    return list(await asyncio.gather(*(call_once(call) for call in json.load(sys.stdin))))


async def run_load() -> dict[str, Any]:
    """Run the load that the environment describes."""
    return await Load(json.loads(os.environ["WASMOOR_LOAD"])).run()


if __name__ == "__main__":
    json.dump(asyncio.run(run_load() if sys.argv[1] == "load" else run_once()), sys.stdout)
