"""What the cluster's adapter reads and writes, apart from HTTP."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tests.fakes.operator_world import FakeMeter, make_component
from wasmoor_operator import ports, settings
from wasmoor_operator.adapters import cluster, connection
from wasmoor_operator.decide import model

KEY = ports.Key("WasmComponent", "tools", "text")


class FakeApi:
    """Lists what it is told to; finds nothing else."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.version = 100
        self.sent: list[tuple[str, str, Any]] = []
        self.fault: ports.ApiFault | None = None

    async def read(self, path: str, **_: str) -> dict[str, Any]:
        if path.endswith("wasmcomponents"):
            return {"metadata": {"resourceVersion": str(self.version)}, "items": self.items}
        if path.endswith("componentpolicies"):
            return {"metadata": {"resourceVersion": str(self.version)}, "items": []}
        raise ports.ApiFault(404, "NotFound", path)

    async def apply(self, path: str, manifest: dict[str, Any], *, force: bool = True) -> dict[str, Any]:
        self.sent.append(("apply", path, (manifest, force)))
        return {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": "200"}}

    async def delete(self, path: str, *, uid: str) -> None:
        self.sent.append(("delete", path, uid))
        if self.fault is not None:
            raise self.fault


def build(api: FakeApi) -> tuple[cluster.Cluster, list[ports.Key]]:
    changed: list[ports.Key] = []
    built = cluster.Cluster(
        cast("connection.Connection", api), settings.WatchSettings(), meter=FakeMeter(), on_change=changed.append
    )
    return built, changed


def at(version: int, name: str = "text") -> dict[str, Any]:
    raw = make_component(name)
    raw["metadata"]["resourceVersion"] = str(version)
    return raw


def make_child(name: str, uid: str = "u") -> model.Child:
    meta = {"name": name, "namespace": "tools", "uid": uid, "labels": {"wasmoor.dev/component": "text"}}
    return model.Child(stage=0, manifest={"kind": "ConfigMap", "metadata": meta}, force=True)


async def test_a_deletion_that_no_watch_told_of_is_found_by_reading_anew() -> None:
    api = FakeApi()
    known, changed = build(api)
    known.take("WasmComponent", at(50), deleted=False)

    await known.refresh()

    assert known.get(KEY) is None
    assert changed == [KEY]


async def test_a_watch_that_has_not_told_a_whole_period_later_is_dead_until_it_tells_again() -> None:
    api = FakeApi()
    known, _ = build(api)
    api.items = [at(50)]
    await known.refresh()
    assert known.check_watches() == ""

    await known.refresh()
    assert "WasmComponent" in known.check_watches()

    known.take("WasmComponent", at(50), deleted=False)
    await known.refresh()
    assert known.check_watches() == ""


async def test_an_owner_that_is_gone_is_not_confirmed_and_forgotten() -> None:
    known, changed = build(FakeApi())
    known.take("WasmComponent", at(50), deleted=False)

    assert not await known.confirm(KEY, "uid-of-text")

    assert known.get(KEY) is None
    assert changed == [KEY]


async def test_what_was_applied_is_known_before_any_watch_tells() -> None:
    known, _ = build(FakeApi())
    await known.apply("tools", make_child("one"))
    (child,) = known.list_children(KEY)
    assert (child["kind"], child["apiVersion"]) == ("ConfigMap", "v1")


async def test_only_the_very_object_that_was_seen_is_deleted() -> None:
    api = FakeApi()
    known, _ = build(api)
    await known.apply("tools", make_child("one", uid="first"))

    await known.delete("tools", model.ChildRef(api_version="v1", kind="ConfigMap", name="one"))

    assert api.sent[-1] == ("delete", "/api/v1/namespaces/tools/configmaps/one", "first")
    assert known.list_children(KEY) == []


@pytest.mark.parametrize("status", [404, 409])
async def test_a_child_that_is_gone_or_another_is_no_fault(status: int) -> None:
    api = FakeApi()
    api.fault = ports.ApiFault(status, "Reason", "no")
    known, _ = build(api)
    await known.apply("tools", make_child("one"))

    await known.delete("tools", model.ChildRef(api_version="v1", kind="ConfigMap", name="one"))

    assert known.list_children(KEY) == []


async def test_a_status_is_for_one_uid_and_known_at_once() -> None:
    api = FakeApi()
    known, _ = build(api)
    known.take("WasmComponent", at(50), deleted=False)

    await known.write_status(KEY, "uid-of-text", {"phase": "Running"})

    _, path, (manifest, _force) = api.sent[-1]
    assert path == "/apis/wasmoor.dev/v1alpha1/namespaces/tools/wasmcomponents/text/status"
    assert manifest["metadata"]["uid"] == "uid-of-text"
    found = known.get(KEY)
    assert found is not None
    assert found["status"] == {"phase": "Running"}


@pytest.mark.parametrize(
    ("kind", "namespace", "name", "path"),
    [
        ("Pod", None, None, "/api/v1/pods"),
        ("Deployment", "tools", "text", "/apis/apps/v1/namespaces/tools/deployments/text"),
        ("ComponentPolicy", "tools", None, "/apis/wasmoor.dev/v1alpha1/namespaces/tools/componentpolicies"),
    ],
)
def test_paths_are_those_of_the_api(kind: str, namespace: str | None, name: str | None, path: str) -> None:
    assert cluster.render_path(kind, namespace, name) == path
