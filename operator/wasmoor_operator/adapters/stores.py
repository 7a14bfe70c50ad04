"""Objects of one kind as last seen, with reads of one's own writes.

A watch lags behind writes. So every object a write returns is put here at once, and whatever a watch tells later but
with an older resourceVersion is ignored. Kubernetes compares resourceVersions as numbers since 1.35 (KEP-5504) and
every API server on etcd has always counted upwards. Fed by informers, handlers and writes; read by `cluster`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Name = tuple[str, str]
"""Namespace and name."""
# Deletions remembered; only those of the last seconds matter.
BURIED = 4096


def read_name(raw: Mapping[str, Any]) -> Name:
    """Return namespace and name of an object."""
    meta = raw["metadata"]
    return meta.get("namespace", ""), meta["name"]


def read_version(raw: Mapping[str, Any]) -> int:
    """Return the resourceVersion as a number; 0 when it is none."""
    return parse_version(str(raw["metadata"].get("resourceVersion", "")))


def parse_version(text: str) -> int:
    """Return a resourceVersion as a number; 0 when it is none."""
    return int(text) if text.isdigit() else 0


class Store:
    """Objects by name, and by an index."""

    def __init__(self, kind: str, api_version: str, index: Callable[[Mapping[str, Any]], Name | None]) -> None:
        self._kind, self._api_version, self._index = kind, api_version, index
        self._objects: dict[Name, Mapping[str, Any]] = {}
        self._by_index: defaultdict[Name, dict[Name, Mapping[str, Any]]] = defaultdict(dict)
        self._buried: dict[Name, int] = {}

    def __len__(self) -> int:
        return len(self._objects)

    def get(self, name: Name) -> Mapping[str, Any] | None:
        """Return one object."""
        return self._objects.get(name)

    def values(self) -> list[Mapping[str, Any]]:
        """Return all objects."""
        return list(self._objects.values())

    def find(self, index: Name) -> list[Mapping[str, Any]]:
        """Return the objects under one value of the index, in order of their names."""
        found = self._by_index.get(index, {})
        return [found[name] for name in sorted(found)]

    def put(self, raw: Mapping[str, Any]) -> bool:
        """Remember an object; return False when it is no news."""
        name, version = read_name(raw), read_version(raw)
        known = self._objects.get(name)
        if known is not None and read_version(known) >= version:
            return False
        if self._buried.get(name, 0) >= version:
            return False
        if known is not None:
            self._drop_index(name, known)
        trimmed = self._trim(raw)
        self._objects[name] = trimmed
        index = self._index(trimmed)
        if index is not None:
            self._by_index[index][name] = trimmed
        return True

    def remove(self, raw: Mapping[str, Any]) -> bool:
        """Forget an object that was deleted; return False when a newer one of that name is known."""
        name, version = read_name(raw), read_version(raw)
        self._bury(name, version)
        known = self._objects.get(name)
        if known is None or read_version(known) > version:
            return False
        self._forget(name, known)
        return True

    def replace(
        self, listed: Iterable[Mapping[str, Any]], version: int, namespace: str | None
    ) -> list[Mapping[str, Any]]:
        """Take the complete list of a namespace, or of all, as of `version`; return what changed or went."""
        changed: list[Mapping[str, Any]] = []
        seen: set[Name] = set()
        for raw in listed:
            seen.add(read_name(raw))
            if self.put(raw):
                changed.append(raw)
        for name, raw in list(self._objects.items()):
            # What is newer than the list was written by us a moment ago.
            if name not in seen and read_version(raw) <= version and namespace in {None, name[0]}:
                self._forget(name, raw)
                changed.append(raw)
        return changed

    def _bury(self, name: Name, version: int) -> None:
        """Remember a deletion: the answer to a write that was on its way must not bring the object back."""
        self._buried[name] = max(version, self._buried.pop(name, 0))
        if len(self._buried) > BURIED:
            del self._buried[next(iter(self._buried))]

    def _forget(self, name: Name, known: Mapping[str, Any]) -> None:
        del self._objects[name]
        self._drop_index(name, known)

    def _drop_index(self, name: Name, known: Mapping[str, Any]) -> None:
        index = self._index(known)
        if index is not None and index in self._by_index:
            self._by_index[index].pop(name, None)
            if not self._by_index[index]:
                del self._by_index[index]

    def _trim(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a copy without what nobody reads, and with the kind that lists leave out."""
        meta = {key: value for key, value in raw["metadata"].items() if key != "managedFields"}
        return {**raw, "kind": self._kind, "apiVersion": self._api_version, "metadata": meta}
