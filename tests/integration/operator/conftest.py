"""A real API server with both kinds and the operator's role; a namespace for each test."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.integration.operator import clusters

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
def site(api: clusters.Api, request: pytest.FixtureRequest) -> clusters.Site:
    name = f"test-{abs(hash(request.node.nodeid)) % 10**10}"
    api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return clusters.Site(api, name)


@pytest.fixture
def run_operator(kubeconfig: pathlib.Path, site: clusters.Site, tmp_path: pathlib.Path) -> RunOperator:
    return partial(clusters.run_operator, kubeconfig, tmp_path, site)


@pytest.fixture
def operator(run_operator: RunOperator) -> Iterator[clusters.Operator]:
    with run_operator() as running:
        yield running


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
