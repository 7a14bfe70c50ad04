"""`wasmoor serve`: the manifests of a cluster, served by one process tree on this machine.

The composition root of that command; from the contract on, the code is the pod's.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import uvloop
from rich.console import Console

from wasmoor_runtime import parts, serving
from wasmoor_runtime.cli import assembly, display, manifests, schemas
from wasmoor_runtime.cli.exits import Exit
from wasmoor_runtime.cli.problems import UserError
from wasmoor_runtime.cli.reloading import Reloader
from wasmoor_runtime.contract.status import ComponentStatus, Phase
from wasmoor_runtime.errors import RuntimeFault
from wasmoor_runtime.events import Listener
from wasmoor_runtime.host.component import ComponentHost, Parts
from wasmoor_runtime.mcp.endpoint import is_loopback_url
from wasmoor_runtime.settings import Addresses, Drain
from wasmoor_runtime.sources import pinning
from wasmoor_runtime.sources.cache import Cache
from wasmoor_runtime.telemetry import logs
from wasmoor_runtime.telemetry.observers import Observers, Wishes

# Nobody routes clients away from a process on a desk: running calls are finished, new ones are not waited for.
_DRAIN = Drain(delay_seconds=0.0, stop_seconds=30.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was typed."""

    path: Path
    addresses: Addresses
    cache: Path
    cache_bytes: int | None = None
    tag_ttl: float = 0.0
    mirrors: dict[str, str]
    log_format: logs.Format
    wishes: Wishes = field(default_factory=Wishes)


def read_assembly(options: Options) -> assembly.Assembly:
    """Return what the manifests say now; `UserError` says what has to be mended."""
    reading = manifests.read_manifests(options.path)
    settings = pinning.Settings(mirrors=options.mirrors, tag_ttl=options.tag_ttl)
    cache = Cache(options.cache, max_bytes=options.cache_bytes)
    return assembly.decide_plans(reading, schemas.load_schemas(), cache, settings)


def serve(options: Options) -> int:
    """Serve at two ports until a signal; returns the exit code, `UserError` says what has to be mended."""
    plans = _prepare(options)
    try:
        sockets = serving.bind(options.addresses)
    except RuntimeFault as fault:
        raise UserError(fault.message) from fault
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        port = int(sockets[0].getsockname()[1])
        return runner.run(_Command(options, plans).run(sockets, port))


def serve_stdio(options: Options) -> int:
    """Serve on standard input and output until the input ends; nothing but the protocol is written to the output."""
    plans = _prepare(options)
    _set_up_logs(options)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run_stdio(options, plans))


def _prepare(options: Options) -> tuple[assembly.Plan, ...]:
    try:
        options.wishes.check()
        logs.parse_levels(os.environ.get(logs.LEVELS_VARIABLE, ""))
    except ValueError as error:
        raise UserError(str(error)) from error
    found = read_assembly(options)
    for note in found.notes:
        print(f"note: {note}", file=sys.stderr)
    try:
        options.cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{options.cache}: {(error.strerror or str(error)).lower()}") from error
    return found.plans


def _set_up_logs(options: Options) -> None:
    levels = logs.parse_levels(os.environ.get(logs.LEVELS_VARIABLE, ""))
    logs.set_up(options.log_format, levels=levels)


async def _run_stdio(options: Options, plans: Sequence[assembly.Plan]) -> int:
    from wasmoor_runtime.cli import stdio  # the SDK takes half a second, and two ports load it when somebody needs it

    stage = stdio.Stage(version=serving.read_version())
    observers = Observers(tuple, options.wishes, os.environ, version=serving.read_version())
    build = functools.partial(
        _build_host, parts.build(options.cache, cache_bytes=options.cache_bytes), observers.listeners
    )
    for plan in plans:
        host = build(plan, ())
        host.start()
        await stage.put(plan.path, host)
    reloader = Reloader(options.path, plans, stage, lambda: read_assembly(options).plans, build)
    reloading = asyncio.create_task(reloader.run())
    try:
        await stage.run()
    finally:
        reloading.cancel()
        await asyncio.gather(reloading, return_exceptions=True)
        await stage.close()
        await observers.close()
    return Exit.OK


def _build_host(
    built: Parts, always: Sequence[Listener], plan: assembly.Plan, more: Sequence[Listener]
) -> ComponentHost:
    own = replace(built, advisories=plan.advisories)
    return ComponentHost(plan.ref, plan.discover, own, listeners=(*always, *more))


class _Command:
    """One run of the command."""

    def __init__(self, options: Options, plans: Sequence[assembly.Plan]) -> None:
        self._options = options
        self._plans = plans
        self._console = Console(stderr=True)

    async def run(self, sockets: tuple[serving.Listening, serving.Listening], port: int) -> int:
        live = self._console.is_terminal and self._options.log_format == "auto"
        shown = display.Display(self._console, [plan.id for plan in self._plans])
        _set_up_logs(self._options)
        logs.show_lifecycle(shown=not live)
        observers = Observers(
            lambda: site.status().components, self._options.wishes, os.environ, version=serving.read_version()
        )
        always = (*observers.listeners, shown)
        build = functools.partial(
            _build_host, parts.build(self._options.cache, cache_bytes=self._options.cache_bytes), always
        )
        site = serving.Serving(
            [serving.Site(host=build(plan, ()), path=plan.path) for plan in self._plans],
            observers.metrics,
            check_host=is_loopback_url(f"http://{_bracket(self._options.addresses.host)}"),
            drain=_DRAIN,
            shared=True,
        )
        reloader = Reloader(self._options.path, self._plans, site, lambda: read_assembly(self._options).plans, build)
        failed = False

        async def announce() -> None:
            nonlocal failed
            await asyncio.gather(*(host.settled.wait() for host in site.hosts()))
            shown.stop()
            _set_up_logs(self._options)
            logs.show_lifecycle(shown=True)
            self._print_summary(site, port)
            if all(host.phase is Phase.FAILED for host in site.hosts()):
                failed = True
                site.stop()
            else:
                await reloader.run()

        if live:
            shown.start()
        announcing = asyncio.create_task(announce())
        try:
            await site.run(*sockets)
        finally:
            announcing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await announcing
            shown.stop()
            await observers.close()
        return Exit.REFUSED if failed else Exit.OK

    def _print_summary(self, site: serving.Serving, port: int) -> None:
        host = self._options.addresses.host
        base = f"http://{_bracket('127.0.0.1' if host in {'0.0.0.0', '::'} else host)}:{port}"  # noqa: S104
        statuses: list[tuple[ComponentStatus, str]] = [
            (status, f"{base}/{status.namespace}/{status.name}/mcp") for status in site.status().components
        ]
        # A table that is piped into a file is not cut to the width of a terminal that is not there.
        console = Console(width=None if sys.stdout.isatty() else 200)
        console.print(display.render_summary(statuses))
        console.print(display.render_hints(statuses, f"{base}{serving.SHARED_PATH}"), markup=False, highlight=False)


def _bracket(host: str) -> str:
    return f"[{host}]" if ":" in host else host
