"""A real API server with both kinds and the operator's role; a namespace for each test."""

from __future__ import annotations

import pathlib
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.integration.operator import clusters
from tests.integration.sources import registries

RunOperator = Callable[..., AbstractContextManager[clusters.Operator]]


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[clusters.Api]:
    with ControlPlane() as control_plane:
        client = clusters.Api(control_plane.kubeconfig, tmp_path_factory.mktemp("admin"))
        clusters.install_definitions(client)
        yield client


@pytest.fixture(scope="session")
def kubeconfig(api: clusters.Api, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return clusters.make_kubeconfig(api, tmp_path_factory.mktemp("operator"))


@pytest.fixture
def site(api: clusters.Api, request: pytest.FixtureRequest) -> Iterator[clusters.Site]:
    name = f"test-{zlib.crc32(request.node.nodeid.encode())}"
    api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield clusters.Site(api, name)
    api.delete(f"/api/v1/namespaces/{name}")


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real registry; its address."""
    with registries.run_registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


@pytest.fixture
def run_operator(kubeconfig: pathlib.Path, site: clusters.Site, tmp_path: pathlib.Path) -> RunOperator:
    """Runs an operator for the test's own namespace; not to be used beside `operator`, which serves all of them."""
    return partial(clusters.run_operator, kubeconfig, tmp_path, site.name)


@pytest.fixture(scope="module")
def everywhere(kubeconfig: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[clusters.Operator]:
    with clusters.run_operator(kubeconfig, tmp_path_factory.mktemp("everywhere"), "") as running:
        yield running
        assert running.stop() == 0


@pytest.fixture
def operator(everywhere: clusters.Operator) -> Iterator[clusters.Operator]:
    """An operator for all namespaces, shared by the tests of a module; no test may end it or upset it."""
    yield everywhere
    assert everywhere.process.poll() is None, everywhere.log()
    assert "Traceback" not in everywhere.log()


@pytest.fixture
def definition_without_schema(api: clusters.Api) -> Iterator[None]:
    """Have the API server take any spec, as if other versions of the operator had written it."""
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/wasmcomponents.wasmoor.dev"
    before = api.request("GET", path)
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}

    def replace(spec_schema: clusters.Json) -> None:
        definition = api.request("GET", path)
        schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = {
            "type": "object",
            "properties": {**schema["properties"], "spec": spec_schema},
        }
        api.request("PUT", path, definition)

    replace(anything)
    yield
    definition = api.request("GET", path)
    api.request("PUT", path, {**definition, "spec": before["spec"]})
