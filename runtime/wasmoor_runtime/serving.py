"""Runs components in this process: the MCP port, the admin port, signals, and an orderly end.

The one place where hosts, endpoints, telemetry and HTTP servers meet; `__main__` (a pod) and `cli.serve` (a machine
without Kubernetes) both build their hosts and call `serve`.

How it stops. At the first signal `/readyz` says 503, calls are still taken for the drain delay and each answer closes
its connection: that is the time a cluster needs to send clients elsewhere. Then nothing new is accepted, running calls
finish within the stop time, the workers end. A second signal ends the process at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import importlib.metadata
import logging
import os
import signal
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import uvicorn

from wasmoor_runtime.contract.status import ComponentStatus, Phase, PodStatus
from wasmoor_runtime.errors import Stalled
from wasmoor_runtime.host.component import ComponentHost
from wasmoor_runtime.mcp.endpoint import ComponentEndpoint, Endpoint, Router, SharedEndpoint
from wasmoor_runtime.mcp.fastpath_http import FastPath, Protocol
from wasmoor_runtime.settings import Addresses, Drain
from wasmoor_runtime.telemetry import admin
from wasmoor_runtime.telemetry.metrics import Metrics

_log = logging.getLogger("wasmoor.serving")

# Longer than clients keep idle connections (5 s to 60 s), so that they close first and never race with us.
_KEEP_ALIVE_SECONDS = 75
# The garbage collector's thresholds once everything is loaded: with the defaults its pauses dominate the p99.
_GC_THRESHOLDS = (50_000, 20, 100)
Listening = socket.socket
_FORCED_EXIT_CODE = 1
# Where all components are served together.
SHARED_PATH = "/mcp"
# For sending the last answers, after the stop time.
_ANSWER_SECONDS = 2.0


def read_version() -> str:
    """Return the version of the installed distribution."""
    return importlib.metadata.version("wasmoor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One component and the path it is served at."""

    host: ComponentHost
    path: str


class _Server(uvicorn.Server):
    """uvicorn's server, which leaves signals to us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Serving:
    """The two ports and the components behind them."""

    def __init__(
        self,
        sites: Iterable[Site],
        metrics: Metrics,
        *,
        check_host: bool,
        drain: Drain,
        shared: bool = False,
        fast_path: bool = True,
    ) -> None:
        """Serve the sites, with `shared` all of them at `/mcp` too; without the fast path, all through the SDK."""
        self._sites = {site.path: site for site in sites}
        self._drain = drain
        self._version = read_version()
        self._endpoints: dict[str, Endpoint] = {}
        self._shared = SharedEndpoint(self.hosts, version=self._version) if shared else None
        if self._shared is not None:
            self._endpoints[SHARED_PATH] = self._shared
        self._router = Router(self._endpoints, check_host=check_host)
        find = self.find if fast_path else _find_nothing
        self._fast = FastPath(find, version=self._version, check_host=check_host)
        self._admin = admin.build_app(self.status, self.why_not_ready, metrics.render)
        self._stopping = asyncio.Event()
        self._open: dict[ComponentHost, asyncio.Task[None]] = {}
        self._retiring: set[asyncio.Task[None]] = set()

    def hosts(self) -> list[ComponentHost]:
        """Return the components that are served now."""
        return [site.host for site in self._sites.values()]

    def status(self) -> PodStatus:
        """Return what `/status` shows."""
        return PodStatus(runtime=self._version, components=tuple(host.status() for host in self.hosts()))

    def why_not_ready(self) -> str:
        """Return "" when tools can be called: every component runs, or has failed while another one runs."""
        if self._router.draining:
            return "stopping"
        waiting = [s for s in self.status().components if not s.ready and s.phase is not Phase.FAILED]
        failed = [s for s in self.status().components if s.phase is Phase.FAILED]
        if waiting or len(failed) == len(self._sites):
            return _explain((waiting or failed)[0]) if waiting or failed else "no components"
        return ""

    def stop(self) -> None:
        """Begin to stop, as the first signal does."""
        self._stopping.set()

    def find(self, path: str) -> ComponentHost | None:
        """Return what is served at the path."""
        site = self._sites.get(path)
        return site.host if site else None

    async def put(self, path: str, host: ComponentHost) -> None:
        """Serve the host at the path from now on; what was there finishes its calls within the stop time."""
        before, endpoint = self._sites.get(path), self._endpoints.get(path)
        self._begin(Site(host=host, path=path))
        if before is not None and endpoint is not None:
            self._retire(before.host)
            # Whoever listens is told, and comes back to the new endpoint.
            endpoint.announce_tools()
            endpoint.end_streams()
        self._refresh()

    async def remove(self, path: str) -> None:
        """Serve nothing at the path any more; what was there finishes its calls within the stop time."""
        site = self._sites.pop(path, None)
        if site is not None:
            self._endpoints.pop(path).end_streams()
            self._retire(site.host)
            self._refresh()

    async def run(self, mcp_socket: socket.socket, admin_socket: socket.socket) -> None:
        """Serve until stopped, then drain."""
        mcp_server = _build_server(self._router, self._drain.stop_seconds + _ANSWER_SECONDS, self._fast)
        admin_server = _build_server(self._admin, _ANSWER_SECONDS)
        with _handle_signals(self._on_signal):
            mcp_task = asyncio.create_task(mcp_server.serve(sockets=[mcp_socket]))
            admin_task = asyncio.create_task(admin_server.serve(sockets=[admin_socket]))
            for task in (mcp_task, admin_task):
                # A server that ends by itself is a defect; a process without it must not stay.
                task.add_done_callback(lambda _: self.stop())
            tasks = [asyncio.create_task(self._tune())]
            if self._shared is not None:
                tasks.append(asyncio.create_task(_stay_open(self._shared)))
            for site in tuple(self._sites.values()):
                self._begin(site)
                site.host.start()
            await self._stopping.wait()
            await self._drain_calls(mcp_server, mcp_task)
            tasks += [*self._open.values(), *self._retiring]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            admin_server.should_exit = True
            await admin_task
        _log.info("stopped")

    def _begin(self, site: Site) -> None:
        """Answer at the site's path from the moment its tools are known."""
        endpoint = ComponentEndpoint(site.host, version=self._version)
        self._sites[site.path] = site
        self._endpoints[site.path] = endpoint
        self._open[site.host] = asyncio.create_task(self._open_when_running(site.host, endpoint))

    async def _open_when_running(self, host: ComponentHost, endpoint: ComponentEndpoint) -> None:
        await host.running.wait()
        self._refresh()
        await _stay_open(endpoint)

    def _retire(self, host: ComponentHost) -> None:
        task = asyncio.create_task(self._end(host))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _end(self, host: ComponentHost) -> None:
        """Let a component that is no longer served finish its calls, and their answers go out."""
        host.begin_stop()
        # A request whose body was still on its way when the other took its place belongs to this one.
        await asyncio.sleep(_ANSWER_SECONDS)
        await host.stop(self._drain.stop_seconds)
        await asyncio.sleep(_ANSWER_SECONDS)
        task = self._open.pop(host, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _refresh(self) -> None:
        if self._shared is not None:
            self._shared.refresh()

    async def _drain_calls(self, server: _Server, task: asyncio.Task[None]) -> None:
        """Let clients go elsewhere, let running calls finish, then end what still runs."""
        self._router.draining = self._fast.draining = True
        for host in self.hosts():
            host.begin_stop()
        # Who never was ready was never sent a call.
        delay = self._drain.delay_seconds if any(host.running.is_set() for host in self.hosts()) else 0.0
        _log.info("draining", extra={"fields": {"seconds": delay}})
        await asyncio.sleep(delay)
        server.should_exit = True
        # Before the server waits for its connections: streams of listeners would stay open for ever.
        for endpoint in self._endpoints.values():
            endpoint.end_streams()
        await asyncio.wait((task,), timeout=self._drain.stop_seconds)
        # Calls that still run are answered by their pool as it closes; the server has a little longer to send that.
        await asyncio.gather(*(host.stop(0.0) for host in self.hosts()), return_exceptions=True)
        await task

    async def _tune(self) -> None:
        """Once all is loaded, take it out of the garbage collector's sight."""
        await asyncio.gather(*(host.settled.wait() for host in self.hosts()))
        await asyncio.sleep(0)
        _tune_collector()

    def _on_signal(self) -> None:
        if self._stopping.is_set():
            # Workers end with us: the kernel signals them when their parent goes.
            os._exit(_FORCED_EXIT_CODE)
        self._stopping.set()


async def _stay_open(endpoint: Endpoint) -> None:
    """Answer at an endpoint until cancelled."""
    async with endpoint.open():
        _tune_collector()
        await asyncio.Event().wait()


def _find_nothing(_: str) -> ComponentHost | None:
    """Return that nothing is served on the fast path."""
    return None


def bind(addresses: Addresses) -> tuple[Listening, Listening]:
    """Return listening sockets for MCP and admin; `Stalled` names the port that is taken."""
    mcp_socket = _bind(addresses.host, addresses.port, "--port")
    try:
        return mcp_socket, _bind(addresses.admin_host, addresses.admin_port, "--admin-port")
    except Stalled:
        mcp_socket.close()
        raise


def _bind(host: str, port: int, option: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        reason = (error.strerror or str(error)).lower()
        raise Stalled(
            "PortUnavailable", f"cannot listen on {host} port {port}: {reason}; choose another with {option}"
        ) from error
    listener.setblocking(False)
    return listener


def _tune_collector() -> None:
    """Take what is loaded out of the garbage collector's sight, and let it look at the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


def _build_server(app: Any, stop_seconds: float, fast: FastPath | None = None) -> _Server:
    config = uvicorn.Config(
        app,
        loop="none",
        http=cast("Any", functools.partial(Protocol, fast)),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(round(stop_seconds), 1),
        backlog=2048,
    )
    return _Server(config)


@contextlib.contextmanager
def _handle_signals(handler: Any) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def _explain(status: ComponentStatus) -> str:
    message = status.message.replace("\n", " ")
    return f"{status.namespace}/{status.name} is {status.phase.value}: {status.reason.value}: {message}"
