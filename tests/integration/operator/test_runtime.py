"""The operator with the real runtime: what a pod's process says about a real component becomes the status."""

from __future__ import annotations

import asyncio
import http.client
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.operator.artifacts import source
from tests.integration.operator.clusters import ROOT, Site, wait_until
from wasmoor_runtime.sources import push

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("operator")]

COMPONENTS = ROOT / ".wasmoor" / "components"


def push_built(name: str, reference: str) -> str:
    path = COMPONENTS / f"{name}.wasm"
    assert path.exists(), f"{path} is not there: build the components with `python3 examples/build.py`"
    return asyncio.run(push.push(path, reference, insecure=True)).digest


@contextmanager
def run_runtime(site: Site, component: str, folder: pathlib.Path, address: str) -> Iterator[None]:
    """Run the runtime with the component's present contract, as its pod would."""
    contract = site.contract(component)
    found = site.api.get(f"{site.core}/configmaps/{component}-contract-{contract}")
    assert found is not None
    file = folder / f"{contract}.json"
    file.write_text(found["data"]["contract.json"])
    command = [
        sys.executable, "-m", "wasmoor_runtime", f"--contract={file}", f"--cache={folder / 'cache'}",
        f"--host={address}", "--drain-delay=0",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "runtime")}
    with (folder / f"{contract}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def test_a_real_component_becomes_ready_with_its_tools(site: Site, registry: str, tmp_path: pathlib.Path) -> None:
    reference = f"{registry}/{site.name}/math:1"
    digest = push_built("math", reference)
    site.apply("math", source=source(reference))
    wait_until(lambda: site.deployment("math"), "the Deployment")
    address = site.make_address()

    with run_runtime(site, "math", tmp_path, address):
        name = site.run_pod("math", address, ready=False)
        wait_until(lambda: is_ready(address), "the runtime")
        site.set_pod(name, address, ready=True)
        site.set_deployment("math", ready=1)
        wait_until(lambda: site.says("math", "Ready", "True", "Running"), "Ready")

    found = site.component("math")
    assert found is not None
    assert found["status"]["artifact"]["digest"] == digest
    assert found["status"]["toolCount"] == len(found["status"]["tools"]) > 0
    assert found["status"]["toolsHash"].startswith("sha256:")


def test_a_component_that_does_not_compile_says_so_through_its_pod(
    site: Site, registry: str, tmp_path: pathlib.Path
) -> None:
    reference = f"{registry}/{site.name}/broken:1"
    push_built("fixtures/broken", reference)
    site.apply("broken", source=source(reference))
    wait_until(lambda: site.deployment("broken"), "the Deployment")
    address = site.make_address()

    with run_runtime(site, "broken", tmp_path, address):
        site.run_pod("broken", address, ready=False)
        wait_until(lambda: site.says("broken", "Stalled", "True", "CompileFailed"), "the reason")
        assert site.says("broken", "Loaded", "False", "CompileFailed")


def is_ready(address: str) -> bool:
    """Return whether the runtime answers /readyz as kubelet would want it."""
    connection = http.client.HTTPConnection(address, 9090, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()
