"""How an informer gets over everything that happens to watches."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from wasmoor_operator import ports, settings
from wasmoor_operator.adapters import cluster, informers, stores

Step = dict[str, Any] | Exception


def make(name: str, version: int) -> dict[str, Any]:
    meta = {"namespace": "tools", "name": name, "resourceVersion": str(version), "uid": name}
    return {"metadata": {**meta, "labels": {"wasmoor.dev/component": name}}}


def event(kind: str, raw: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "object": raw}


class Script:
    """An API server that answers by a script, and then says nothing more."""

    def __init__(self, lists: list[Step], watches: list[list[Step]]) -> None:
        self._lists, self._watches = lists, watches
        self.asked: list[dict[str, str]] = []

    async def read(self, path: str, **query: str) -> dict[str, Any]:
        self.asked.append({"what": f"list {path}", **query})
        answer = self._lists.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def watch(self, path: str, *, silence: float, **query: str) -> AsyncIterator[dict[str, Any]]:
        self.asked.append({"what": f"watch {path}", "silence": str(silence), **query})
        if not self._watches:
            await asyncio.Event().wait()
        for step in self._watches.pop(0):
            if isinstance(step, Exception):
                raise step
            yield step


def page(version: int, *items: dict[str, Any], more: str = "") -> dict[str, Any]:
    return {"metadata": {"resourceVersion": str(version), "continue": more}, "items": list(items)}


async def follow(script: Script, until: Callable[[stores.Store], bool]) -> tuple[stores.Store, list[str]]:
    """Run an informer until the store is as it should be; return it and whose changes were told."""
    store = stores.Store("Service", "v1", cluster.read_owner)
    told: list[str] = []
    informer = informers.Informer(
        script,
        store,
        "/api/v1/services",
        namespace=None,
        selector="app=x",
        values=settings.WatchSettings(),
        on_change=lambda raw: told.append(raw["metadata"]["name"]),
    )
    running = asyncio.create_task(informer.run())
    async with asyncio.timeout(20):
        while not (informer.synced.is_set() and until(store)):  # noqa: ASYNC110 - the fake tells nobody
            await asyncio.sleep(0.001)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return store, told


def names(store: stores.Store) -> set[str]:
    return {raw["metadata"]["name"] for raw in store.values()}


async def test_a_list_of_several_pages_is_followed_by_a_watch_from_its_end() -> None:
    script = Script([page(10, make("a", 3), more="next"), page(10, make("b", 4))], [[event("ADDED", make("c", 11))]])
    store, told = await follow(script, lambda store: len(store) == 3)
    assert told == ["a", "b", "c"]
    assert [asked["what"] for asked in script.asked[:3]] == ["list /api/v1/services"] * 2 + ["watch /api/v1/services"]
    assert script.asked[1]["continue"] == "next"
    assert script.asked[2]["resourceVersion"] == "10"
    assert all(asked["labelSelector"] == "app=x" for asked in script.asked)
    assert names(store) == {"a", "b", "c"}


async def test_a_watch_that_ends_goes_on_where_the_last_bookmark_was() -> None:
    bookmark = event("BOOKMARK", {"metadata": {"resourceVersion": "40"}})
    script = Script([page(10)], [[bookmark], [event("ADDED", make("a", 41))]])
    await follow(script, lambda store: len(store) == 1)
    assert script.asked[2]["resourceVersion"] == "40"


async def test_a_version_that_is_too_old_is_followed_by_a_new_list() -> None:
    gone = event("ERROR", {"code": 410, "reason": "Expired", "message": "too old"})
    script = Script([page(10, make("a", 3)), page(90, make("b", 80))], [[gone]])
    store, told = await follow(script, lambda store: names(store) == {"b"})
    assert names(store) == {"b"}
    assert told == ["a", "b", "a"]


async def test_a_broken_watch_goes_on_without_a_new_list() -> None:
    broken = ports.ApiFault(0, "ClientPayloadError", "watch: cut")
    script = Script([page(10)], [[event("ADDED", make("a", 11)), broken], [event("DELETED", make("a", 12))]])
    _, told = await follow(script, lambda store: len(store) == 0 and len(script.asked) > 3)
    assert told == ["a", "a"]
    assert [asked["what"].split()[0] for asked in script.asked] == ["list", "watch", "watch", "watch"]
    assert script.asked[2]["resourceVersion"] == "11"


async def test_a_list_that_fails_is_tried_again() -> None:
    busy = ports.ApiFault(429, "TooManyRequests", "later", retry_after=0.001)
    script = Script([busy, page(10, make("a", 3))], [])
    store, _ = await follow(script, lambda store: len(store) == 1)
    assert names(store) == {"a"}


async def test_an_event_that_makes_no_sense_ends_nothing() -> None:
    script = Script([page(10)], [[{"type": "ADDED"}], [event("ADDED", make("a", 11))]])
    store, _ = await follow(script, lambda store: len(store) == 1)
    assert json.dumps(sorted(names(store))) == '["a"]'
