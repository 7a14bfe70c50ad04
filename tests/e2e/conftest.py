"""Fixtures: one client pod for all tests, one namespace for each test that asks for it."""

from __future__ import annotations

import re
import secrets
import sys
from collections.abc import Iterator

import pytest

from scripts import client_pod, commands, installation, kubectl
from tests.e2e.harness import Tenant


@pytest.fixture(scope="session")
def made() -> installation.Installation:
    """What `make up` made; the tests run against it and nothing else. Their own components are built here."""
    build = [sys.executable, "examples/build.py", "fixtures"]
    commands.run(build, todo="see the builder's logs in the cache, under components/", timeout=600)
    return installation.read_installation()


@pytest.fixture(scope="session")
def cluster(made: installation.Installation) -> kubectl.Kubectl:
    return kubectl.Kubectl(made.kubectl, made.kubeconfig)


@pytest.fixture(scope="session")
def client(cluster: kubectl.Kubectl, made: installation.Installation, run_id: str) -> Iterator[client_pod.ClientPod]:
    namespace = f"e2e-client-{run_id}"
    pod = client_pod.ClientPod(cluster, image=made.runtime_image, namespace=namespace)
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}})
    pod.start()
    yield pod
    cluster.run("delete", "namespace", namespace, "--wait=false")


@pytest.fixture(scope="session")
def run_id() -> str:
    """What makes this run's names its own: an earlier one's may still be going away, its tags are in the registry."""
    return secrets.token_hex(2)


@pytest.fixture
def tenant(
    request: pytest.FixtureRequest,
    cluster: kubectl.Kubectl,
    made: installation.Installation,
    client: client_pod.ClientPod,
    run_id: str,
) -> Iterator[Tenant]:
    """A namespace named after the test."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower())[:48].strip("-")
    tenant = Tenant(cluster, made, client, f"e2e-{words}-{run_id}")
    tenant.create()
    yield tenant
    tenant.remove()
