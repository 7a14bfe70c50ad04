"""Ask what sources name (registries about tags, the API server about ConfigMaps), and remember the newest answers.

A registry that hangs occupies a slot here and nothing else: reconciles read what was answered last and are told when
there is more. When to ask is decided by `decide.resolution.is_due`. Called by `observe`; fills `ports.Resolutions`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from wasmoor_operator import errors, ports, reasons, settings
from wasmoor_operator.decide import model, resolution
from wasmoor_runtime.contract import spec

logger = logging.getLogger(__name__)

Resolve = Callable[[str, resolution.Asked], Awaitable[str]]
"""Returns what a source of a namespace names: a manifest's digest, or a ConfigMap's version.

Raises `errors.OperatorFault`."""
Question = tuple[str, int]
"""Name of the source, and generation."""


class Resolutions:
    """The newest answer for each component."""

    def __init__(
        self,
        resolve: Resolve,
        values: settings.RegistrySettings,
        pace: settings.PaceSettings,
        *,
        on_answer: Callable[[ports.Key], None],
    ) -> None:
        self._resolve, self._values, self._pace, self._on_answer = resolve, values, pace, on_answer
        self._slots = asyncio.Semaphore(values.parallel)
        self._answers: dict[ports.Key, model.Resolution] = {}
        self._asking: dict[ports.Key, tuple[Question, asyncio.Task[None]]] = {}

    def look_up(self, key: ports.Key, component: model.Component, now: datetime) -> model.Resolution | None:
        """Return the newest answer, and have the registry asked where that is due."""
        last = self._answers.get(key)
        source = resolution.find_asked(component)
        if source is not None and resolution.is_due(component, last, now, self._pace):
            self._ask(key, source, component.generation)
        return last

    def forget(self, key: ports.Key) -> None:
        """Drop what is remembered about a component that is gone."""
        self._answers.pop(key, None)
        if key in self._asking:
            self._asking.pop(key)[1].cancel()

    async def close(self) -> None:
        """Stop asking."""
        tasks = [task for _, task in self._asking.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ask(self, key: ports.Key, source: resolution.Asked, generation: int) -> None:
        question = (resolution.name_source(source), generation)
        if key in self._asking:
            asked, task = self._asking[key]
            if asked == question:
                return
            task.cancel()
        task = asyncio.create_task(self._answer(key, source, generation))
        self._asking[key] = question, task

    async def _answer(self, key: ports.Key, source: resolution.Asked, generation: int) -> None:
        answer, fault = "", None
        name, in_registry = resolution.name_source(source), isinstance(source, spec.OciSource)
        try:
            async with self._slots, asyncio.timeout(self._values.deadline):
                answer = await self._resolve(key.namespace, source)
        except errors.OperatorFault as error:
            fault = error
        except TimeoutError:
            fault = errors.Waiting(
                reasons.Reason.REGISTRY_UNAVAILABLE if in_registry else reasons.Reason.SOURCE_UNAVAILABLE,
                f"{'the registry of' if in_registry else 'the API server, asked about'} {name} did not answer within"
                f" {self._values.deadline:g} s",
                delay=self._pace.stalled,
            )
        except Exception:
            logger.exception("looking up the reference of %s failed unexpectedly", key)
            fault = errors.Waiting(
                reasons.Reason.INTERNAL,
                f"looking up {name} failed unexpectedly; the operator's log has the details",
                delay=self._pace.stalled,
            )
        self._answers[key] = model.Resolution(
            reference=name,
            generation=generation,
            attempted_at=datetime.now(UTC),
            digest=answer if in_registry else "",
            version="" if in_registry else answer,
            fault=fault,
        )
        self._asking.pop(key, None)
        self._on_answer(key)
