"""Everybody who listens, put together: log, metrics, and where they are wanted, the sink and spans.

Built by the composition roots (`__main__`, `cli`), which close it when their work is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from wasmoor_runtime import events
from wasmoor_runtime.telemetry import logs, sink, spans
from wasmoor_runtime.telemetry.metrics import Metrics, Statuses

_CLOSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What people ask for."""

    events_sink: str = ""
    """`http(s)://…` to send lifecycle events to; empty for none."""
    log_arguments: bool = False
    """Whether arguments and results are logged and sent, without what looks secret."""

    def check(self) -> None:
        """Raise `sink.UnusableUrl` when events cannot be sent where they are wished."""
        if self.events_sink:
            sink.parse_url(self.events_sink)


class Observers:
    """The listeners of one process. Log levels are to be set before."""

    def __init__(self, statuses: Statuses, wishes: Wishes, environment: Mapping[str, str], *, version: str) -> None:
        """Start what needs starting; `sink.UnusableUrl` when events cannot be sent where they are wished."""
        self._sink = sink.Sink(wishes.events_sink, log_arguments=wishes.log_arguments) if wishes.events_sink else None
        self._spans = spans.build_spans(environment)
        self.metrics = Metrics(statuses, version=version, sink=self._sink)
        log = logs.LifecycleLog(log_arguments=wishes.log_arguments)
        optional: tuple[events.Listener | None, ...] = (self._sink, self._spans)
        self.listeners: tuple[events.Listener, ...] = (
            self.metrics,
            log,
            *(each for each in optional if each is not None),
        )

    async def close(self) -> None:
        """Send what is left, for a moment, and end."""
        if self._sink is not None:
            await asyncio.to_thread(self._sink.close, _CLOSE_SECONDS)
        if self._spans is not None:
            await asyncio.to_thread(self._spans.close)
