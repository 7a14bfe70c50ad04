"""Real pods on this machine: `python -m wasmoor_runtime` over a cache with one component in it, without a registry."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import wasmtime

from wasmoor_runtime.artifacts import digests, layouts
from wasmoor_runtime.contract.document import Contract
from wasmoor_runtime.contract.status import ComponentStatus, PodStatus
from wasmoor_runtime.sources.cache import Cache

COMPONENTS = Path(__file__).parents[2] / "components"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A running process and where it answers."""

    process: asyncio.subprocess.Process
    url: str
    admin: str

    async def ready(self) -> bool:
        """Return what a readiness probe sees."""
        try:
            async with httpx2.AsyncClient() as client:
                return (await client.get(f"{self.admin}/readyz")).status_code == 200
        except httpx2.HTTPError:
            return False

    async def status(self) -> ComponentStatus:
        """Return what the component's status says."""
        async with httpx2.AsyncClient() as client:
            answer = await client.get(f"{self.admin}/status")
        return PodStatus.model_validate_json(answer.content).components[0]

    async def until(self, condition: Callable[[ComponentStatus], object]) -> None:
        """Wait until the status is so."""
        async with asyncio.timeout(20):
            while not condition(await self.status()):  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.02)

    def read_maps(self) -> str:
        """Return what is mapped into the process."""
        return Path(f"/proc/{self.process.pid}/maps").read_text("utf-8")

    def terminate(self) -> None:
        """Send what a kubelet sends."""
        self.process.send_signal(signal.SIGTERM)


def write_contract(folder: Path, fixture: str, limits: Mapping[str, Any]) -> Path:
    """Put the fixture into the folder's cache and return the path of a contract that pins it."""
    data = wasmtime.wat2wasm((COMPONENTS / f"{fixture}.wat").read_text("utf-8"))
    digest = digests.compute_digest(bytes(data))
    layout = layouts.render_layout(digest, len(data), layouts.Interfaces(), annotations={}, created=layouts.EPOCH)
    cache = Cache(folder / "cache")
    cache.write(digest, len(data), [bytes(data)], lambda _: None)
    cache.write(layout.manifest_digest, len(layout.manifest), [layout.manifest], lambda _: None)
    contract = Contract.model_validate(
        {
            "component": {"namespace": "tools", "name": fixture},
            "source": {"reference": f"registry.invalid/{fixture}:1", "digest": layout.manifest_digest},
            "limits": dict(limits),
            "timing": {"stopTimeoutSeconds": 5},
        }
    )
    path = folder / "contract.json"
    path.write_text(contract.to_json(), "utf-8")
    return path


@contextlib.asynccontextmanager
async def run_pod(
    folder: Path,
    contract: Path,
    *more: str,
    drain_delay: float = 0.0,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Pod]:
    """Run a pod, with more options, until left; it is ready when this is entered."""
    port, admin = find_port(), find_port()
    words = (
        "--contract", str(contract), "--cache", str(folder / "cache"), "--host", "127.0.0.1",
        "--port", str(port), "--admin-port", str(admin), "--drain-delay", str(drain_delay), "--log-format", "json",
        *more,
    )  # fmt: skip
    with (folder / f"pod-{port}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "wasmoor_runtime", *words, stderr=log, env=environment
        )
    pod = Pod(process=process, url=f"http://127.0.0.1:{port}/mcp", admin=f"http://127.0.0.1:{admin}")
    try:
        async with asyncio.timeout(60):
            while not await pod.ready():
                assert process.returncode is None, (folder / f"pod-{port}.log").read_text("utf-8")
                await asyncio.sleep(0.05)
        yield pod
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def run_words(*words: str) -> tuple[int, str]:
    """Run the pod's program to its end and return exit code and stderr."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "wasmoor_runtime", *words, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        _, stderr = await process.communicate()
    return process.returncode or 0, stderr.decode()


def find_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def read_log(folder: Path) -> list[dict[str, Any]]:
    """Return the lines that pods of this folder have logged."""
    lines = [line for path in sorted(folder.glob("pod-*.log")) for line in path.read_text("utf-8").splitlines()]
    return [json.loads(line) for line in lines]
