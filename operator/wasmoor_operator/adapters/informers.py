"""Keep a store fresh: list once, then watch, for ever.

Always with a label selector, so that nothing lists all Pods of a cluster. A watch that breaks is opened again where it
stopped; one that is too old (410 Gone) starts with a new list; one that is silent is taken for dead, since bookmarks
come every minute. Failures back off. Each change is told to `on_change`, after the store has it. Called by `cluster`.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Protocol

from wasmoor_operator import ports, settings
from wasmoor_operator.adapters import stores

logger = logging.getLogger(__name__)

GONE = 410
BACKOFF_INITIAL = 0.5
# Between two watches, lest something in between that ends each at once is asked without end.
PAUSE = 0.1
BACKOFF_MAX = 10.0
OnChange = Callable[[Mapping[str, Any]], None]


class Source(Protocol):
    """What an informer needs of a `connection.Connection`."""

    async def read(self, path: str, **query: str) -> dict[str, Any]:
        """GET one page of a list."""
        ...

    def watch(self, path: str, *, silence: float, **query: str) -> AsyncIterator[dict[str, Any]]:
        """Yield the events of one watch."""
        ...


class Informer:
    """One kind in one namespace, or in all of them."""

    def __init__(
        self,
        api: Source,
        store: stores.Store,
        path: str,
        *,
        namespace: str | None,
        selector: str,
        values: settings.WatchSettings,
        on_change: OnChange,
    ) -> None:
        self._api, self._store, self._path = api, store, path
        self._namespace, self._selector, self._values, self._on_change = namespace, selector, values, on_change
        self._version = ""
        self._alive = time.monotonic()
        self.synced = asyncio.Event()
        """Set after the first list."""

    @property
    def name(self) -> str:
        """Where it looks, for messages."""
        return self._path

    @property
    def silence(self) -> float:
        """Seconds since this informer heard or tried anything; a cluster that is away does not make it longer."""
        return time.monotonic() - self._alive

    async def run(self) -> None:
        """List and watch until cancelled."""
        delay = BACKOFF_INITIAL
        while True:
            try:
                if not self._version:
                    await self._list()
                await self._watch()
                delay = BACKOFF_INITIAL
                await asyncio.sleep(PAUSE)
            except ports.ApiFault as fault:
                self._alive = time.monotonic()
                if fault.status == GONE:
                    self._version = ""
                logger.warning("%s; trying again in %.0f s", fault.message, delay)
                # Spread out, so that replicas and kinds do not all come back at the same moment.
                await asyncio.sleep(fault.retry_after or delay * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
                delay = min(delay * 2, BACKOFF_MAX)

    async def _list(self) -> None:
        query = {"labelSelector": self._selector, "limit": str(self._values.page)}
        found, self._version = await list_all(self._api, self._path, query)
        self._alive = time.monotonic()
        changed = self._store.replace(found, stores.parse_version(self._version), self._namespace)
        self.synced.set()
        for raw in changed:
            self._on_change(raw)

    async def _watch(self) -> None:
        events = self._api.watch(
            self._path,
            silence=self._values.silence,
            labelSelector=self._selector,
            resourceVersion=self._version,
            allowWatchBookmarks="true",
            timeoutSeconds=str(self._values.server_timeout),
        )
        async for event in events:
            self._alive = time.monotonic()
            self._take(event)

    def _take(self, event: Mapping[str, Any]) -> None:
        kind, raw = event.get("type"), event.get("object") or {}
        if kind == "ERROR":
            raise ports.ApiFault(
                int(raw.get("code") or 0), str(raw.get("reason")), f"watch {self._path}: {raw.get('message')}"
            )
        if "metadata" not in raw:
            raise ports.ApiFault(0, "BadAnswer", f"watch {self._path}: an event without an object")
        self._version = str(raw["metadata"].get("resourceVersion", ""))
        if kind == "BOOKMARK":
            return
        news = self._store.remove(raw) if kind == "DELETED" else self._store.put(raw)
        if news:
            self._on_change(raw)


async def list_all(api: Source, path: str, query: Mapping[str, str]) -> tuple[list[Mapping[str, Any]], str]:
    """Return a whole collection, read page by page, and its resourceVersion."""
    found: list[Mapping[str, Any]] = []
    more = dict(query)
    while True:
        page = await api.read(path, **more)
        found += page.get("items") or ()
        if not page["metadata"].get("continue"):
            return found, str(page["metadata"].get("resourceVersion", ""))
        more["continue"] = page["metadata"]["continue"]
