"""The loop: take a key, observe, decide, apply; again when something changed or time has come.

Level, not edge: a key says which object to look at, never what happened to it. Each key is worked on by one worker at a
time and waits in the queue at most once. Nothing that an object holds, and nothing that the world answers, ends the
loop. Knows no HTTP and no kopf; `__main__` builds it, `handlers` and informers feed it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

from wasmoor_operator import apply, conditions, errors, observe, ports, reasons, settings
from wasmoor_operator.api import group
from wasmoor_operator.decide import component as component_decision
from wasmoor_operator.decide import model
from wasmoor_operator.decide import policy as policy_decision
from wasmoor_operator.decide.model import Manifest

logger = logging.getLogger(__name__)

# A child that never becomes what was applied (a webhook that changes it back) is fought with this patience.
ROUNDS = 3


class Queue:
    """Keys to look at: each at most once, none that is being worked on."""

    def __init__(self) -> None:
        self._waiting: dict[ports.Key, None] = {}
        self._working: set[ports.Key] = set()
        self._again: set[ports.Key] = set()
        self._timers: dict[ports.Key, asyncio.TimerHandle] = {}
        self._news = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, key: ports.Key) -> None:
        """Have a key looked at as soon as a worker is free."""
        if key in self._working:
            self._again.add(key)
            return
        self._waiting[key] = None
        self._news.set()

    def add_after(self, key: ports.Key, seconds: float) -> None:
        """Have a key looked at later; replaces what was said before."""
        self.forget(key)
        self._timers[key] = asyncio.get_running_loop().call_later(seconds, self._expire, key)

    def forget(self, key: ports.Key) -> None:
        """Drop the timer of a key."""
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()

    async def take(self) -> ports.Key:
        """Wait for a key; `done` must follow."""
        while not self._waiting:
            self._news.clear()
            await self._news.wait()
        key = next(iter(self._waiting))
        del self._waiting[key]
        self._working.add(key)
        return key

    def done(self, key: ports.Key) -> None:
        """Give a key back; it waits again if it was added meanwhile."""
        self._working.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def _expire(self, key: ports.Key) -> None:
        self._timers.pop(key, None)
        self.add(key)


@dataclasses.dataclass(slots=True)
class _Trouble:
    """What went wrong with one key, until it goes well."""

    failures: int = 0
    told: str = ""
    """The unexpected error that was logged with its traceback; the same one is not logged so again."""
    fault: errors.OperatorFault | None = None
    """What `decide` is told about the last `apply`."""


class Controller:
    """Keeps every WasmComponent and ComponentPolicy as it should be."""

    def __init__(
        self,
        world: ports.World,
        queue: Queue,
        values: settings.Settings,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._world, self._queue, self._values, self._clock = world, queue, values, clock
        self._parser = observe.Parser()
        self._trouble: dict[ports.Key, _Trouble] = {}
        self._reconcilers = {
            group.COMPONENT_KIND: self._reconcile_component,
            group.POLICY_KIND: self._reconcile_policy,
        }

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(self._values.queue.concurrency):
                tasks.create_task(self._work(), name=f"reconcile {number}")
            tasks.create_task(self._sweep(), name="resync")

    def notice(self, kind: str, raw: Manifest, *, deleted: bool) -> None:
        """Take in what a watch told of an object of ours; enqueue it and those whose fate depends on it.

        A change of the status alone concerns nobody else.
        """
        key = ports.Key(kind, raw["metadata"]["namespace"], raw["metadata"]["name"])
        before = self._world.cluster.get(key)
        if not self._world.cluster.take(kind, raw, deleted=deleted):
            return
        self._queue.add(key)
        if _generation(before) == _generation(self._world.cluster.get(key)):
            return
        others = [group.POLICY_KIND]
        if key.kind == group.POLICY_KIND:
            others.append(group.COMPONENT_KIND)
        for other in others:
            for each in self._world.cluster.list_kind(other, key.namespace):
                self._queue.add(ports.Key(other, key.namespace, each["metadata"]["name"]))

    async def _sweep(self) -> None:
        """Look at everything from time to time, whatever the watches said."""
        while True:
            for kind in self._reconcilers:
                for raw in self._world.cluster.list_kind(kind):
                    self._queue.add(ports.Key(kind, raw["metadata"]["namespace"], raw["metadata"]["name"]))
            await asyncio.sleep(self._values.pace.resync)
            try:
                await self._world.cluster.refresh()
            except ports.ApiFault as fault:
                logger.warning("could not read everything anew: %s", fault.message)

    async def _work(self) -> None:
        while True:
            key = await self._queue.take()
            try:
                await self._handle(key)
            finally:
                self._queue.done(key)
            self._world.meter.queued(len(self._queue))
            # A queue that is never empty must not keep watches and health checks from running.
            await asyncio.sleep(0)

    async def _handle(self, key: ports.Key) -> None:
        """Reconcile one key; whatever happens is counted, said and tried again."""
        started = time.monotonic()
        outcome = "error"
        trouble = self._trouble.setdefault(key, _Trouble())
        try:
            async with asyncio.timeout(self._values.queue.deadline):
                outcome = await self._reconcilers[key.kind](key, trouble)
            if outcome != "waiting":
                self._trouble.pop(key, None)
        except ports.ApiFault as fault:
            logger.warning("%s: %s", key, fault.message)
            self._retry(key, trouble, fault.retry_after)
        except TimeoutError:
            logger.warning("%s: not done within %.0f s", key, self._values.queue.deadline)
            self._retry(key, trouble)
        except Exception as error:  # noqa: BLE001 - the loop outlives every defect
            await self._report_defect(key, trouble, error)
            self._retry(key, trouble)
        self._world.meter.reconciled(key.kind, outcome, time.monotonic() - started)

    def _retry(self, key: ports.Key, trouble: _Trouble, at_least: float | None = None) -> None:
        """Look again after a delay that grows with each failure."""
        values = self._values.queue
        delay = min(values.backoff_initial * 2.0 ** min(trouble.failures, 20), values.backoff_max)
        trouble.failures += 1
        # Spread out, so that many that failed together do not come back together.
        self._queue.add_after(key, max(delay, at_least or 0.0) * random.uniform(0.8, 1.2))  # noqa: S311 - no secret

    async def _reconcile_component(self, key: ports.Key, trouble: _Trouble) -> str:
        """Bring one component a step further; return what came of it.

        After children were written it is decided anew, with what they have become, so that one status says it all.
        """
        outcome = "quiet"
        for _ in range(ROUNDS):
            raw = self._world.cluster.get(key)
            if raw is None:
                self._forget(key)
                return outcome
            observed, enough = observe.observe_component(
                key, raw, self._parser, self._world, self._clock(), trouble.fault
            )
            plan = component_decision.decide_component(observed, self._values.render, self._values.pace)
            written = bool(plan.children or plan.prune)
            if not written and trouble.fault is None:
                return await self._finish(key, raw, plan, enough=enough, outcome=outcome)
            trouble.fault = None
            if written and not await self._may_create(key, observed, plan):
                return outcome
            try:
                await apply.apply_children(observed.component, plan, self._world.cluster)
            except errors.OperatorFault as fault:
                trouble.fault = fault
                told = dataclasses.replace(observed, apply_fault=fault)
                plan = component_decision.decide_component(told, self._values.render, self._values.pace)
                outcome = await self._finish(key, raw, plan, enough=enough, outcome="waiting")
                self._retry(
                    key, trouble, fault.delay if isinstance(fault, errors.Waiting) else self._values.pace.stalled
                )
                return outcome
            outcome = "wrote" if written else outcome
        logger.warning("%s: what is applied is changed by somebody else at once; trying again more slowly", key)
        self._retry(key, trouble)
        return "waiting"

    async def _finish(self, key: ports.Key, raw: Manifest, plan: model.Plan, *, enough: bool, outcome: str) -> str:
        """Write the status, tell what changed, and say when to look again."""
        if plan.status is not None and enough:
            await apply.apply_status(key, raw["metadata"]["uid"], plan.status, self._world.cluster)
            outcome = "wrote" if outcome == "quiet" else outcome
        if enough:
            for event in plan.events:
                self._world.recorder.record(raw, event)
        if plan.requeue_after is not None:
            self._queue.add_after(key, plan.requeue_after)
        return outcome

    async def _may_create(self, key: ports.Key, observed: model.Observed, plan: model.Plan) -> bool:
        """Return whether the owner certainly lives, before something that was there is made again.

        Children vanish with their owner. Where the watch has not yet told of the owner's end, making them again would
        be undone by the garbage collector, and begun anew, for as long as the watch is behind.
        """
        there = {(child["kind"], child["metadata"]["name"]) for child in observed.children}
        wanted = {(child.manifest["kind"], child.manifest["metadata"]["name"]) for child in plan.children}
        if wanted <= there or not observed.component.status:
            return True
        return await self._world.cluster.confirm(key, observed.component.uid)

    async def _reconcile_policy(self, key: ports.Key, trouble: _Trouble) -> str:
        del trouble
        raw = self._world.cluster.get(key)
        if raw is None:
            self._forget(key)
            return "quiet"
        observed = observe.observe_policy(raw, self._parser, self._world.cluster, self._clock())
        decided = policy_decision.decide_policy(observed)
        plan = model.Plan(status=decided.status, events=decided.events)
        return await self._finish(key, raw, plan, enough=True, outcome="quiet")

    def _forget(self, key: ports.Key) -> None:
        """Drop everything remembered about an object that is gone; its children go with it."""
        self._queue.forget(key)
        self._parser.forget(key)
        if key.kind == group.COMPONENT_KIND:
            self._world.pods.forget(key)
            self._world.resolutions.forget(key)

    async def _report_defect(self, key: ports.Key, trouble: _Trouble, error: Exception) -> None:
        """Say an unexpected error: once with its traceback in the log, without its text in the condition.

        The text may quote what the object holds; the type is enough to find it in the log.
        """
        name = type(error).__name__
        if trouble.told == repr(error):
            logger.error("%s: %s again", key, name)
            return
        trouble.told = repr(error)
        logger.error("%s: failed unexpectedly", key, exc_info=error)
        raw = self._world.cluster.get(key)
        if raw is None:
            return
        said = conditions.Condition(
            type=conditions.Type.READY,
            state=conditions.State.UNKNOWN,
            reason=reasons.Reason.INTERNAL,
            message=f"The operator failed on this object with {name}; its log has the details. Please report them.",
        )
        status = raw.get("status") or {}
        stored = status.get("conditions") or ()
        merged = conditions.merge_conditions([said], stored, _generation(raw), self._clock())
        kept = [item for item in stored if item["type"] != conditions.Type.READY]
        try:
            uid = raw["metadata"]["uid"]
            await apply.apply_status(key, uid, {**status, "conditions": kept + merged}, self._world.cluster)
        except ports.ApiFault as fault:
            logger.warning("%s: its status could not be written: %s", key, fault.message)


def _generation(raw: Manifest | None) -> int:
    return int(raw["metadata"].get("generation", 1)) if raw is not None else 0
