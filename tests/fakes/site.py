"""A real server on a free port of this machine around a host with a fake pool; for tests of what clients see."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

from tests.fakes.parts import FakePool, Recorder, make_contract, make_parts
from wasmoor_runtime import serving
from wasmoor_runtime.contract.document import Contract
from wasmoor_runtime.host.component import ComponentHost, Parts
from wasmoor_runtime.settings import Addresses, Drain
from wasmoor_runtime.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningSite:
    """What a test talks to."""

    url: str
    admin: str
    port: int
    host: ComponentHost
    recorder: Recorder
    serving: serving.Serving
    task: asyncio.Task[None]


@contextlib.asynccontextmanager
async def run_site(
    pool: FakePool,
    *,
    contract: Contract | None = None,
    parts: Parts | None = None,
    check_host: bool = False,
    drain: Drain | None = None,
    wait: bool = True,
    fast_path: bool = True,
) -> AsyncIterator[RunningSite]:
    """Serve the pool at `/mcp` until left, then drain."""
    served = contract or make_contract()

    async def discover() -> Contract:
        return served

    hosts: list[ComponentHost] = []
    recorder = Recorder()
    metrics = Metrics(lambda: [host.status() for host in hosts], version="0")
    host = ComponentHost(served.component, discover, parts or make_parts(pool), listeners=(recorder, metrics))
    hosts.append(host)
    site = serving.Serving(
        [serving.Site(host=host, path="/mcp")],
        metrics,
        check_host=check_host,
        drain=drain or Drain(delay_seconds=0, stop_seconds=1),
        fast_path=fast_path,
    )
    sockets = serving.bind(Addresses(host="127.0.0.1", port=0, admin_host="127.0.0.1", admin_port=0))
    port, admin_port = (_port(listener) for listener in sockets)
    task = asyncio.create_task(site.run(*sockets))
    try:
        if wait:
            await host.running.wait()
            await asyncio.sleep(0)
        yield RunningSite(
            url=f"http://127.0.0.1:{port}/mcp",
            admin=f"http://127.0.0.1:{admin_port}",
            port=port,
            host=host,
            recorder=recorder,
            serving=site,
            task=task,
        )
    finally:
        site.stop()
        await task


def _port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])
