"""What a store makes of news that come twice, late, or in the wrong order."""

from __future__ import annotations

from typing import Any

from wasmoor_operator.adapters import cluster, stores


def make(name: str, version: int, **labels: str) -> dict[str, Any]:
    meta = {"namespace": "tools", "name": name, "resourceVersion": str(version), "labels": labels, "uid": name}
    return {"metadata": {**meta, "managedFields": ["much"]}}


def make_store() -> stores.Store:
    return stores.Store("Service", "v1", cluster.read_owner)


def read_versions(store: stores.Store) -> dict[str, str]:
    return {raw["metadata"]["name"]: raw["metadata"]["resourceVersion"] for raw in store.values()}


def test_a_watch_that_lags_behind_a_write_does_not_undo_it() -> None:
    store = make_store()
    store.put(make("a", 5))
    assert store.put(make("a", 9))  # the answer to our own write

    assert not store.put(make("a", 7))

    assert read_versions(store) == {"a": "9"}


def test_what_is_known_is_no_news() -> None:
    store = make_store()
    store.put(make("a", 5))
    assert not store.put(make("a", 5))


def test_an_old_deletion_does_not_take_the_new_object_away() -> None:
    store = make_store()
    store.put(make("a", 5))
    store.put(make("a", 12))  # deleted by somebody, made again by us

    assert not store.remove(make("a", 11))

    assert read_versions(store) == {"a": "12"}


def test_a_late_answer_does_not_bring_a_deleted_object_back() -> None:
    store = make_store()
    store.put(make("a", 5))
    assert store.remove(make("a", 8))

    assert not store.put(make("a", 6))

    assert read_versions(store) == {}


def test_a_complete_list_drops_what_it_does_not_hold_but_not_what_is_newer() -> None:
    store = make_store()
    for name, version in (("old", 5), ("kept", 6), ("new", 30)):
        store.put(make(name, version))

    changed = store.replace([make("kept", 6), make("changed", 19)], 20, None)

    assert sorted(raw["metadata"]["name"] for raw in changed) == ["changed", "old"]
    assert set(read_versions(store)) == {"kept", "new", "changed"}


def test_a_list_of_one_namespace_leaves_the_others_alone() -> None:
    store = make_store()
    elsewhere = make("other", 5)
    elsewhere["metadata"]["namespace"] = "elsewhere"
    store.put(elsewhere)

    store.replace([], 20, "tools")

    assert set(read_versions(store)) == {"other"}


def test_children_are_found_by_their_owner_and_follow_when_it_changes() -> None:
    store = make_store()
    label = {"wasmoor.dev/component": "text"}
    store.put(make("a", 5, **label))
    store.put(make("b", 6, **label))
    assert [raw["metadata"]["name"] for raw in store.find(("tools", "text"))] == ["a", "b"]

    store.put(make("a", 7))

    assert [raw["metadata"]["name"] for raw in store.find(("tools", "text"))] == ["b"]


def test_kind_and_version_are_added_and_managed_fields_dropped() -> None:
    store = make_store()
    store.put(make("a", 5))
    (raw,) = store.values()
    assert (raw["kind"], raw["apiVersion"]) == ("Service", "v1")
    assert "managedFields" not in raw["metadata"]


def test_remembered_deletions_are_bounded() -> None:
    store = make_store()
    for number in range(stores.BURIED + 10):
        store.remove(make(f"n{number}", number))
    assert len(store._buried) == stores.BURIED
