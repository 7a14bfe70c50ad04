"""Keeps what is served in step with the manifests: as a cluster does, without a gap and without a dropped call.

A changed component is loaded beside the one that runs and takes its place when its tools can be called; until then, and
if that never happens, the one before goes on. What the files say wrongly is told and changes nothing. A tag with
`refresh` is looked up again that often, and a file source without a hash is looked at like a manifest.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from wasmoor_runtime import events
from wasmoor_runtime.cli import changes
from wasmoor_runtime.cli.assembly import Plan
from wasmoor_runtime.cli.problems import UserError
from wasmoor_runtime.contract.quantities import parse_duration
from wasmoor_runtime.contract.spec import OciSource
from wasmoor_runtime.contract.status import Phase
from wasmoor_runtime.errors import RuntimeFault
from wasmoor_runtime.host.component import ComponentHost

_log = logging.getLogger("wasmoor.serving")

# How often files are looked at, in seconds.
LOOK_SECONDS = 0.5


class Stage(Protocol):
    """Where components are served: two ports (`serving.Serving`), or standard input and output."""

    def find(self, path: str) -> ComponentHost | None:
        """Return what is served at the path."""

    async def put(self, path: str, host: ComponentHost) -> None:
        """Serve the host at the path; what was there finishes its calls."""

    async def remove(self, path: str) -> None:
        """Serve nothing there; what was there finishes its calls."""


class _Fate:
    """A listener that waits for a host to run or fail."""

    kinds: events.Kinds = (events.Moved,)

    def __init__(self) -> None:
        self.decided = asyncio.Event()

    def hear(self, event: events.Event) -> None:
        if isinstance(event, events.Moved) and event.phase in {Phase.RUNNING, Phase.FAILED}:
            self.decided.set()


class Reloader:
    """Looks at the manifests again and again, and rolls over what changed."""

    def __init__(
        self,
        path: Path,
        plans: Iterable[Plan],
        stage: Stage,
        read: Callable[[], Sequence[Plan]],
        build: Callable[[Plan, Sequence[events.Listener]], ComponentHost],
    ) -> None:
        self._path = path
        self._wanted = {plan.path: plan for plan in plans}
        self._stage = stage
        self._read = read
        self._build = build
        self._rolling: dict[str, asyncio.Task[None]] = {}
        self._seen = changes.observe_manifests(path)
        self._files = {plan.path: changes.observe_component(plan) for plan in self._wanted.values()}
        self._asked = dict.fromkeys(self._wanted, time.monotonic())

    async def run(self) -> None:
        """Look until cancelled."""
        try:
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                await self._look()
        finally:
            for task in self._rolling.values():
                task.cancel()
            await asyncio.gather(*self._rolling.values(), return_exceptions=True)

    async def _look(self) -> None:
        seen = await asyncio.to_thread(changes.observe_manifests, self._path)
        if seen != self._seen:
            await asyncio.sleep(LOOK_SECONDS)
            again = await asyncio.to_thread(changes.observe_manifests, self._path)
            if again != seen:
                return  # somebody is still writing
            self._seen = seen
            await self._reread()
        for plan in list(self._wanted.values()):
            if self._is_due(plan):
                self._roll(plan, only_if_new=True)

    def _is_due(self, plan: Plan) -> bool:
        """Return whether what a plan names may be something else by now."""
        seen = changes.observe_component(plan)
        if seen != self._files.get(plan.path, ()):
            self._files[plan.path] = seen
            return bool(seen)
        if not isinstance(plan.source, OciSource) or plan.source.refresh is None or plan.path in self._rolling:
            return False
        now = time.monotonic()
        if now - self._asked.get(plan.path, now) < parse_duration(plan.source.refresh):
            return False
        self._asked[plan.path] = now
        return True

    async def _reread(self) -> None:
        try:
            plans = await asyncio.to_thread(self._read)
        except UserError as error:
            for line in error.lines:
                _log.error("%s; what runs goes on", line)
            return
        found = changes.decide_changes(self._wanted, plans)
        self._wanted = {plan.path: plan for plan in plans}
        for plan in found.removed:
            await self._end_rolling(plan.path)
            _log.info("removed", extra={"fields": {"component": plan.id}})
            await self._stage.remove(plan.path)
        for plan in (*found.added, *found.changed):
            self._files[plan.path] = changes.observe_component(plan)
            self._asked[plan.path] = time.monotonic()
            await self._end_rolling(plan.path)
            self._roll(plan)

    def _roll(self, plan: Plan, *, only_if_new: bool = False) -> None:
        if plan.path not in self._rolling:
            task = asyncio.create_task(self._roll_over(plan, only_if_new=only_if_new), name=f"roll over {plan.id}")
            self._rolling[plan.path] = task
            task.add_done_callback(lambda _: self._rolling.pop(plan.path, None))

    async def _end_rolling(self, path: str) -> None:
        """End a version that is on its way and that nobody wants any more."""
        task = self._rolling.pop(path, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _roll_over(self, plan: Plan, *, only_if_new: bool) -> None:
        running = self._stage.find(plan.path)
        if only_if_new and running is not None and not await self._is_new(plan, running):
            return
        fate = _Fate()
        host = self._build(plan, (fate,))
        host.start()
        if running is None or not running.ready:
            await self._stage.put(plan.path, host)  # nothing is lost: how far it is can be seen
            return
        _log.info("changed: loading it beside the one that runs", extra={"fields": {"component": plan.id}})
        try:
            await fate.decided.wait()
        except asyncio.CancelledError:
            await host.stop(0.0)
            raise
        if host.ready:
            await self._stage.put(plan.path, host)
            _log.info("rolled over", extra={"fields": {"component": plan.id}})
            return
        status = host.status()
        await host.stop(0.0)
        text = f"{status.reason.value}: {status.message}; the version before goes on"
        _log.error(text, extra={"fields": {"component": plan.id}})

    async def _is_new(self, plan: Plan, running: ComponentHost) -> bool:
        """Return whether what the plan names now is another thing than what runs."""
        if not isinstance(plan.source, OciSource):
            return True
        with contextlib.suppress(RuntimeFault):
            contract = await plan.discover()
            return running.contract is None or contract.hash() != running.contract.hash()
        return False
