"""What is known of the cluster, and writes to it; fills `ports.Cluster`.

Two stores (our kinds) are fed by kopf through `handlers`, five by informers with the label selector
`app.kubernetes.io/managed-by=wasmoor`. Children are written by server-side apply, only with the fields that are ours;
`force` takes back what somebody else set in those, but not from an object that was not known to exist. The rights this
takes are the table in `rights`. No Secret is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from wasmoor_operator import ports, settings
from wasmoor_operator.adapters import connection, informers, stores
from wasmoor_operator.api import group
from wasmoor_operator.decide import model

SELECTOR = f"{group.MANAGED_BY_LABEL}={group.MANAGED_BY}"
# Each kind with its apiVersion and plural.
OWN_KINDS = {
    group.COMPONENT_KIND: (group.API_VERSION, group.COMPONENT_PLURAL),
    group.POLICY_KIND: (group.API_VERSION, group.POLICY_PLURAL),
}
CHILD_KINDS = {
    "ServiceAccount": ("v1", "serviceaccounts"),
    "ConfigMap": ("v1", "configmaps"),
    "Deployment": ("apps/v1", "deployments"),
    "Service": ("v1", "services"),
}
POD = {"Pod": ("v1", "pods")}
ALL_KINDS = {**OWN_KINDS, **CHILD_KINDS, **POD}


def render_path(kind: str, namespace: str | None, name: str | None = None, subresource: str | None = None) -> str:
    """Return the path of a collection or an object in the API."""
    api_version, plural = ALL_KINDS[kind]
    path = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    if namespace is not None:
        path += f"/namespaces/{namespace}"
    return "/".join(part for part in (path, plural, name, subresource) if part)


def read_namespace(raw: Mapping[str, Any]) -> stores.Name:
    """Return what objects of our own kinds are found by: their namespace."""
    return raw["metadata"]["namespace"], ""


def read_owner(raw: Mapping[str, Any]) -> stores.Name | None:
    """Return namespace and name of the component a child belongs to: by its owner, else by its label."""
    meta = raw["metadata"]
    for owner in meta.get("ownerReferences") or ():
        if owner.get("kind") == group.COMPONENT_KIND and str(owner.get("apiVersion", "")).startswith(group.GROUP):
            return meta["namespace"], owner["name"]
    name = (meta.get("labels") or {}).get(group.COMPONENT_LABEL)
    return (meta["namespace"], name) if name else None


class Cluster:
    """The API server, seen through stores."""

    def __init__(
        self,
        api: connection.Connection,
        values: settings.WatchSettings,
        *,
        meter: ports.Meter,
        on_change: Callable[[ports.Key], None],
    ) -> None:
        self._api, self._values, self._meter, self._on_change = api, values, meter, on_change
        self._own = {kind: stores.Store(kind, version, read_namespace) for kind, (version, _) in OWN_KINDS.items()}
        self._children = {kind: stores.Store(kind, version, read_owner) for kind, (version, _) in CHILD_KINDS.items()}
        self._pods = stores.Store("Pod", "v1", read_owner)
        self._told = dict.fromkeys(OWN_KINDS, 0)
        self._listed = dict.fromkeys(OWN_KINDS, 0)
        self._silent: set[str] = set()
        self.informers = [
            self._watch(kind, store, namespace)
            for kind, store in {**self._children, "Pod": self._pods}.items()
            for namespace in self._scopes
        ]
        """One for each kind and namespace that is watched."""

    @property
    def _scopes(self) -> Sequence[str | None]:
        return self._values.namespaces or (None,)

    def _watch(self, kind: str, store: stores.Store, namespace: str | None) -> informers.Informer:
        return informers.Informer(
            self._api,
            store,
            render_path(kind, namespace),
            namespace=namespace,
            selector=SELECTOR,
            values=self._values,
            on_change=self._tell_owner,
        )

    def _tell_owner(self, raw: Mapping[str, Any]) -> None:
        owner = read_owner(raw)
        if owner is not None:
            self._on_change(ports.Key(group.COMPONENT_KIND, *owner))

    async def wait_synced(self) -> None:
        """Return when every informer has listed once."""
        await asyncio.gather(*(informer.synced.wait() for informer in self.informers))

    def take(self, kind: str, raw: Mapping[str, Any], *, deleted: bool) -> bool:
        """Take what a watch of our own kinds told; return False when it is no news."""
        store = self._own[kind]
        self._told[kind] = max(self._told[kind], stores.read_version(raw))
        return store.remove(raw) if deleted else store.put(raw)

    def get(self, key: ports.Key) -> model.Manifest | None:
        """Return a WasmComponent or ComponentPolicy as last seen."""
        return self._own[key.kind].get((key.namespace, key.name))

    def list_kind(self, kind: str, namespace: str | None = None) -> Sequence[model.Manifest]:
        """Return all of a kind of ours."""
        store = self._own[kind]
        return store.values() if namespace is None else store.find((namespace, ""))

    def list_children(self, key: ports.Key) -> Sequence[model.Manifest]:
        """Return the children of a component."""
        return [raw for store in self._children.values() for raw in store.find((key.namespace, key.name))]

    def list_pods(self, key: ports.Key) -> Sequence[model.Manifest]:
        """Return the pods of a component."""
        return self._pods.find((key.namespace, key.name))

    async def confirm(self, key: ports.Key, uid: str) -> bool:
        """Ask whether this very object is still there."""
        try:
            raw = await self._api.read(render_path(key.kind, key.namespace, key.name))
        except ports.ApiFault as fault:
            if fault.status != HTTPStatus.NOT_FOUND:
                raise
            known = self.get(key)
            if known is not None and known["metadata"]["uid"] == uid:
                self._own[key.kind].remove(known)
                self._on_change(key)
            return False
        if self._own[key.kind].put(raw):
            self._on_change(key)
        return bool(raw["metadata"]["uid"] == uid)

    async def refresh(self) -> None:
        """Read both kinds anew, page by page."""
        for kind, store in self._own.items():
            self._check_watch(kind)
            for namespace in self._scopes:
                found, version = await informers.list_all(
                    self._api, render_path(kind, namespace), {"limit": str(self._values.page)}
                )
                self._listed[kind] = max([self._listed[kind], *map(stores.read_version, found)])
                for raw in store.replace(found, stores.parse_version(version), namespace):
                    self._on_change(ports.Key(kind, raw["metadata"]["namespace"], raw["metadata"]["name"]))

    def check_watches(self) -> str:
        """Return which watches of our own kinds are dead."""
        return f"dead watches: {', '.join(sorted(self._silent))}" if self._silent else ""

    def _check_watch(self, kind: str) -> None:
        """Notice a watch that ended without a word: it never told what the list before this one already held."""
        if self._told[kind] < self._listed[kind]:
            self._silent.add(kind)
        else:
            self._silent.discard(kind)

    async def apply(self, namespace: str, child: model.Child) -> None:
        """Write a child."""
        kind = child.manifest["kind"]
        path = render_path(kind, namespace, child.manifest["metadata"]["name"])
        self._meter.wrote(ALL_KINDS[kind][1], "apply")
        self._children[kind].put(await self._api.apply(path, child.manifest, force=child.force))

    async def delete(self, namespace: str, child: model.ChildRef) -> None:
        """Delete a child as last seen."""
        store = self._children[child.kind]
        known = store.get((namespace, child.name))
        if known is None:
            return
        path = render_path(child.kind, namespace, child.name)
        self._meter.wrote(ALL_KINDS[child.kind][1], "delete")
        try:
            await self._api.delete(path, uid=known["metadata"]["uid"])
        except ports.ApiFault as fault:
            # Gone, or another object of that name by now: nothing of what was to be deleted is left.
            if fault.status not in {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}:
                raise
        store.remove(known)

    async def write_status(self, key: ports.Key, uid: str, status: model.Manifest) -> None:
        """Replace what we say in the status. The uid makes it fail on another object of the same name."""
        api_version, plural = OWN_KINDS[key.kind]
        manifest = {
            "apiVersion": api_version,
            "kind": key.kind,
            "metadata": {"name": key.name, "namespace": key.namespace, "uid": uid},
            "status": status,
        }
        self._meter.wrote(f"{plural}/status", "apply")
        path = render_path(key.kind, key.namespace, key.name, "status")
        self._own[key.kind].put(await self._api.apply(path, manifest))
