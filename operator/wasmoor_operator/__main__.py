"""The operator's process: parse what it was told, build everything once, run until told to stop.

    wasmoor-operator run --runtime-image registry.example/wasmoor-runtime:0.1.0

Every option can also be given as an environment variable (`--lease-name` as `WASMOOR_LEASE_NAME`). The only module that
knows all the others. Exit codes: 0 stopped on request, 1 something must be looked at, 2 wrong options.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
import os
import pathlib
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import kopf

from wasmoor_operator import controller, handlers, options, ports, settings
from wasmoor_operator.adapters import (
    cluster,
    config_maps,
    connection,
    events,
    health,
    leases,
    metrics,
    pods,
    registry,
    resolutions,
)
from wasmoor_operator.api import group
from wasmoor_runtime.contract import spec

logger = logging.getLogger("wasmoor_operator")

RETRY = 2.0


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    try:
        arguments = options.parse_arguments(sys.argv[1:] if argv is None else argv, os.environ)
        values = options.build_settings(arguments)
    except options.UsageError as error:
        sys.exit(_complain(str(error), 2))
    configure_logging(values.log)
    try:
        asyncio.run(run(values, arguments.kubeconfig))
    except (ports.ConfigurationMissing, leases.LeadershipLost) as error:
        sys.exit(_complain(str(error), 1))
    except OSError as error:
        sys.exit(_complain(f"cannot listen on {values.health.host}:{values.health.port}: {error.strerror}", 1))
    except ExceptionGroup as error:
        # A watch or the loop itself ended, which they never should; started anew, all is read anew.
        logger.critical("ended unexpectedly", exc_info=error)
        sys.exit(1)


def _complain(message: str, code: int) -> int:
    sys.stderr.write(f"wasmoor-operator: {' '.join(message.split())}\n")
    return code


class _JsonFormatter(logging.Formatter):
    """One JSON object for each record."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def configure_logging(values: settings.LogSettings) -> None:
    """Log to standard error."""
    handler = logging.StreamHandler()
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(_JsonFormatter() if values.format == "json" else text)
    logging.basicConfig(handlers=[handler], level=values.level, force=True)
    # They tell every request at INFO, and what is told better here.
    for name in ("httpx", "httpx2", "mcp", "aiohttp.access"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("kubernetes").setLevel(logging.ERROR)


class Operator:
    """Everything one process is made of."""

    def __init__(self, values: settings.Settings, api: connection.Connection, take_signals: Callable[[], None]) -> None:
        self._values, self._api, self._take_signals = values, api, take_signals
        self._problem = "starting"
        self._leading = False
        self.meter = metrics.Meter()
        queue = controller.Queue()
        self._cluster = cluster.Cluster(api, values.watch, meter=self.meter, on_change=queue.add)
        self._pods = pods.Pods(values.pods, values.pace, on_answer=queue.add)
        self._resolutions = resolutions.Resolutions(
            _make_resolver(values, api), values.registry, values.pace, on_answer=queue.add
        )
        self._recorder = events.Recorder(api, values.election.identity, self.meter)
        self._controller = controller.Controller(
            ports.World(
                cluster=self._cluster,
                pods=self._pods,
                resolutions=self._resolutions,
                recorder=self._recorder,
                meter=self.meter,
            ),
            queue,
            values,
        )

    def check_health(self) -> str:
        """Return what is wrong with this process, if anything."""
        if not self._leading:
            return ""
        watches = [(informer.name, informer.silence) for informer in self._cluster.informers]
        return self._cluster.check_watches() or health.check_silence(watches, self._values.health.stale)

    def check_readiness(self) -> str:
        """Return what keeps this process from doing its part, if anything."""
        return self._problem

    async def run(self) -> None:
        """Lead, at once or when the Lease is ours, until cancelled or stopped. Raises `leases.LeadershipLost`."""
        await self._wait_served()
        if not self._values.election.enabled:
            await self._lead()
            return
        self._problem = ""
        await leases.Election(self._values.election, self._api).lead(self._lead)

    async def close(self) -> None:
        """End what was begun in the background."""
        await self._pods.close()
        await self._resolutions.close()

    async def _wait_served(self) -> None:
        """Wait until the API server serves our kinds."""
        while True:
            try:
                await self._api.read(f"/apis/{group.API_VERSION}")
            except ports.ApiFault as fault:
                if fault.status == 404:  # noqa: PLR2004 - HTTP's own number
                    problem = f"the cluster does not know {group.API_VERSION}: install the CRDs of the chart"
                else:
                    problem = f"the API server cannot be asked: {fault.message}"
                if problem != self._problem:
                    logger.warning("%s; waiting", problem)
                self._problem = problem
                await asyncio.sleep(RETRY)
            else:
                return

    async def _lead(self) -> None:
        """Watch and reconcile. Nothing is reconciled before everything was read once."""
        self._leading = True
        self._problem = "the cluster has not been read yet; if this lasts, the log says why"
        self.meter.leads(True)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._recorder.run(), name="events")
                for informer in self._cluster.informers:
                    tasks.create_task(informer.run(), name=f"informer {informer.name}")
                await self._cluster.wait_synced()
                await self._read_own_kinds()
                tasks.create_task(self._controller.run(), name="controller")
                self._problem = ""
                logger.info("working")
                watching = asyncio.Event()
                tasks.create_task(self._take_signals_back(watching), name="signals")
                await self._watch_own_kinds(watching)
                # kopf was told to stop before the signals were ours again.
                raise asyncio.CancelledError
        finally:
            self._leading = False
            self.meter.leads(False)

    async def _read_own_kinds(self) -> None:
        while True:
            try:
                await self._cluster.refresh()
            except ports.ApiFault as fault:
                logger.warning("%s; trying again", fault.message)
                await asyncio.sleep(RETRY)
            else:
                return

    async def _take_signals_back(self, watching: asyncio.Event) -> None:
        """Kopf takes the signals when it starts; it would wait five seconds for our tasks before it ends."""
        await watching.wait()
        self._take_signals()

    async def _watch_own_kinds(self, watching: asyncio.Event) -> None:
        kopf_registry = kopf.OperatorRegistry()
        handlers.register(kopf_registry, self._controller, lambda: _connect(self._api.configuration))
        namespaces = self._values.watch.namespaces
        await kopf.operator(
            registry=kopf_registry,
            settings=handlers.configure(self._values),
            standalone=True,
            clusterwide=not namespaces,
            namespaces=namespaces,
            ready_flag=watching,
            # Without it kopf asks for the user's name, and a container's user may have none.
            identity=cast("Any", self._values.election.identity),
        )


def _make_resolver(values: settings.Settings, api: connection.Connection) -> resolutions.Resolve:
    async def resolve(namespace: str, source: spec.OciSource | spec.ConfigMapSource) -> str:
        if isinstance(source, spec.ConfigMapSource):
            return await config_maps.find_version(api, namespace, source)
        found = await registry.resolve(
            source.reference,
            insecure=source.insecure,
            mirrors=values.render.mirrors,
            timeout=values.registry.deadline,
        )
        return found.digest

    return resolve


async def _connect(configuration: Any) -> kopf.ConnectionInfo:
    """Return the same credentials in kopf's words; it asks again when they are refused, so tokens may rotate."""
    token = await configuration.get_api_key_with_prefix("BearerToken") or ""
    scheme, _, secret = token.rpartition(" ")
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        insecure=not configuration.verify_ssl,
        scheme=scheme or None,
        token=secret or None,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
    )


async def run(values: settings.Settings, kubeconfig: str | None) -> None:
    """Run until SIGTERM or SIGINT. Raises `ports.ConfigurationMissing`, `leases.LeadershipLost` and `OSError`."""
    configuration = await connection.load_configuration(
        pathlib.Path(kubeconfig) if kubeconfig else None, values.api_server
    )
    api = connection.Connection(configuration, values.api_server)
    take_signals = functools.partial(_cancel_on_signals, asyncio.current_task())
    operator = Operator(values, api, take_signals)
    server = health.Server(
        values.health,
        healthy=operator.check_health,
        ready=operator.check_readiness,
        metrics=operator.meter.render,
    )
    try:
        await server.start()
        take_signals()
        with contextlib.suppress(asyncio.CancelledError):
            await operator.run()
        logger.info("stopped")
    finally:
        await operator.close()
        await server.close()
        await api.close()


def _cancel_on_signals(task: asyncio.Task[None] | None) -> None:
    """Have SIGTERM and SIGINT cancel a task."""
    for number in (signal.SIGTERM, signal.SIGINT):
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)


if __name__ == "__main__":
    main()
