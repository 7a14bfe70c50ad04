"""`wasmoor serve`: the manifests of a cluster, served by one process tree on this machine.

The composition root of that command; from the contract on, the code is the pod's.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop
from rich.console import Console

from wasmoor_runtime import parts, serving
from wasmoor_runtime.cli import assembly, display, manifests, schemas
from wasmoor_runtime.cli.problems import UserError
from wasmoor_runtime.contract.status import ComponentStatus, Phase
from wasmoor_runtime.errors import RuntimeFault
from wasmoor_runtime.host.component import ComponentHost
from wasmoor_runtime.host.events import Listener
from wasmoor_runtime.mcp.endpoint import is_loopback_url
from wasmoor_runtime.settings import Addresses, Drain
from wasmoor_runtime.telemetry import logs
from wasmoor_runtime.telemetry.metrics import Metrics

NOTHING_SERVED = 1
# Nobody routes clients away from a process on a desk: running calls are finished, new ones are not waited for.
_DRAIN = Drain(delay_seconds=0.0, stop_seconds=30.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was typed."""

    path: Path
    addresses: Addresses
    cache: Path
    mirrors: dict[str, str]
    log_format: logs.Format


def serve(options: Options) -> int:
    """Serve until a signal; returns the exit code, `UserError` says what has to be mended."""
    reading = manifests.read_manifests(options.path)
    plans = assembly.decide_plans(reading, schemas.load_schemas(), options.mirrors)
    for note in plans.notes:
        print(f"note: {note}", file=sys.stderr)
    try:
        options.cache.mkdir(parents=True, exist_ok=True)
        sockets = serving.bind(options.addresses)
    except RuntimeFault as fault:
        raise UserError(fault.message) from fault
    except OSError as error:
        raise UserError(f"{options.cache}: {(error.strerror or str(error)).lower()}") from error
    command = _Command(options, plans)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        port = int(sockets[0].getsockname()[1])
        return runner.run(command.run(sockets, port))


class _Command:
    """One run of the command."""

    def __init__(self, options: Options, plans: assembly.Assembly) -> None:
        self._options = options
        self._plans = plans.plans
        self._console = Console(stderr=True)
        self._hosts: list[ComponentHost] = []

    async def run(self, sockets: tuple[serving.Listening, serving.Listening], port: int) -> int:
        live = self._console.is_terminal and self._options.log_format == "auto"
        shown = display.Display(self._console, [f"{p.ref.namespace}/{p.ref.name}" for p in self._plans])
        metrics = Metrics(lambda: [host.status() for host in self._hosts], version=serving.read_version())
        sites = self._build_sites((metrics, logs.LifecycleLog(), shown))
        site = serving.Serving(
            sites, metrics, check_host=is_loopback_url(f"http://{_bracket(self._options.addresses.host)}"), drain=_DRAIN
        )
        failed = False

        async def announce() -> None:
            nonlocal failed
            await asyncio.gather(*(host.settled.wait() for host in self._hosts))
            shown.stop()
            logs.set_up(self._options.log_format)
            logs.show_lifecycle(shown=True)
            self._print_summary(port)
            if all(host.phase is Phase.FAILED for host in self._hosts):
                failed = True
                site.stop()

        if live:
            shown.start()
        logs.set_up(self._options.log_format)
        logs.show_lifecycle(shown=not live)
        announcing = asyncio.create_task(announce())
        try:
            await site.run(*sockets)
        finally:
            announcing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await announcing
            shown.stop()
        return NOTHING_SERVED if failed else 0

    def _build_sites(self, listeners: Sequence[Listener]) -> list[serving.Site]:
        built = parts.build(self._options.cache)
        self._hosts[:] = [ComponentHost(plan.ref, plan.discover, built, listeners=listeners) for plan in self._plans]
        return [serving.Site(host=h, path=plan.path) for h, plan in zip(self._hosts, self._plans, strict=True)]

    def _print_summary(self, port: int) -> None:
        host = self._options.addresses.host
        base = f"http://{_bracket('127.0.0.1' if host in {'0.0.0.0', '::'} else host)}:{port}"  # noqa: S104
        statuses: list[tuple[ComponentStatus, str]] = [
            (h.status(), f"{base}{plan.path}") for h, plan in zip(self._hosts, self._plans, strict=True)
        ]
        # A table that is piped into a file is not cut to the width of a terminal that is not there.
        console = Console(width=None if sys.stdout.isatty() else 200)
        console.print(display.render_summary(statuses))
        console.print(display.render_hints(statuses), markup=False, highlight=False)


def _bracket(host: str) -> str:
    return f"[{host}]" if ":" in host else host
