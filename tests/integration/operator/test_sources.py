"""Components that are in no registry, with the real runtime: a web server, a ConfigMap, a file."""

from __future__ import annotations

import base64
import pathlib
from typing import Any

import pytest

from tests.integration.operator.clusters import Site, wait_until
from tests.integration.operator.test_runtime import COMPONENTS, is_ready, run_runtime
from tests.integration.sources import misbehaving
from wasmoor_runtime.artifacts import digests
from wasmoor_runtime.policy import contracts

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("operator")]


def read_component(name: str) -> bytes:
    path = COMPONENTS / f"{name}.wasm"
    assert path.exists(), f"{path} is not there: build the components with `python3 examples/build.py`"
    return path.read_bytes()


def write_config_map(site: Site, name: str, key: str, data: bytes) -> None:
    manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "binaryData": {key: base64.b64encode(data).decode()},
    }
    path = f"{site.core}/configmaps"
    known = site.api.get(f"{path}/{name}")
    if known is None:
        site.api.create(path, manifest)
    else:
        site.api.request("PUT", f"{path}/{name}", manifest)


def status(site: Site, name: str) -> Any:
    return (site.component(name) or {}).get("status", {})


def serve(site: Site, name: str, folder: pathlib.Path) -> None:
    """Have a pod serve the component until it is ready."""
    address = site.make_address()
    with run_runtime(site, name, folder, address):
        pod = site.run_pod(name, address, ready=False)
        wait_until(lambda: is_ready(address), "the runtime")
        site.set_pod(pod, address, ready=True)
        site.set_deployment(name, ready=1)
        wait_until(lambda: site.says(name, "Ready", "True", "Running"), "Ready")


def test_a_component_on_a_web_server_becomes_ready(site: Site, tmp_path: pathlib.Path) -> None:
    data = read_component("math")
    with misbehaving.run_server() as server:
        server.routes["GET", "/math.wasm"] = misbehaving.give(data)
        url = f"http://{server.address}/math.wasm"
        site.apply("math", source={"http": {"url": url, "sha256": digests.compute_digest(data)[7:]}})
        wait_until(lambda: site.deployment("math"), "the Deployment")
        wait_until(lambda: site.says("math", "Resolved", "True", "Resolved"), "Resolved")
        serve(site, "math", tmp_path)
    artifact = status(site, "math")["artifact"]
    assert (artifact["reference"], artifact["digest"]) == (url, digests.compute_digest(data))
    assert artifact["layerDigest"] == artifact["digest"]
    assert artifact["size"] == len(data)


def test_a_file_with_another_hash_is_digest_mismatch(site: Site, tmp_path: pathlib.Path) -> None:
    with misbehaving.run_server() as server:
        server.routes["GET", "/math.wasm"] = misbehaving.give(read_component("math"))
        site.apply("math", source={"http": {"url": f"http://{server.address}/math.wasm", "sha256": "0" * 64}})
        wait_until(lambda: site.deployment("math"), "the Deployment")
        address = site.make_address()
        with run_runtime(site, "math", tmp_path, address):
            site.run_pod("math", address, ready=False)
            wait_until(lambda: site.says("math", "Stalled", "True", "DigestMismatch"), "the reason")
            assert site.says("math", "Loaded", "False", "DigestMismatch")
            assert site.says("math", "Resolved", "True", "Resolved")


def test_a_config_map_that_is_not_there_is_told_and_taken_up_when_it_comes(site: Site) -> None:
    site.apply("math", source={"configMap": {"name": "math-wasm", "key": "math.wasm"}})
    wait_until(lambda: site.says("math", "Resolved", "False", "ArtifactNotFound"), "the reason")
    assert "kubectl create configmap math-wasm" in site.condition("math", "Resolved")["message"]
    assert site.deployment("math") is None

    write_config_map(site, "math-wasm", "math.wasm", read_component("math"))

    wait_until(lambda: site.deployment("math"), "the Deployment")
    wait_until(lambda: site.says("math", "Resolved", "True", "Resolved"), "Resolved")


def test_a_changed_config_map_is_rolled_out(site: Site) -> None:
    write_config_map(site, "math-wasm", "math.wasm", read_component("math"))
    site.apply("math", source={"configMap": {"name": "math-wasm", "key": "math.wasm"}})
    wait_until(lambda: site.deployment("math"), "the Deployment")
    wait_until(lambda: site.says("math", "Resolved", "True", "Resolved"), "Resolved")
    before, version = site.contract("math"), status(site, "math")["artifact"]["version"]
    volumes = (site.deployment("math") or {})["spec"]["template"]["spec"]["volumes"]
    assert {"name": "math-wasm", "optional": True} in [
        {key: each.get("configMap", {}).get(key) for key in ("name", "optional")} for each in volumes
    ]
    mounts = (site.deployment("math") or {})["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    assert contracts.CONFIG_MAP_DIRECTORY in [each["mountPath"] for each in mounts]

    write_config_map(site, "math-wasm", "math.wasm", read_component("text"))

    wait_until(lambda: site.contract("math") != before, "the new contract", 60)
    wait_until(lambda: status(site, "math")["artifact"]["version"] != version, "the new version")


def test_a_component_in_a_file_becomes_ready_and_its_digest_is_what_the_pod_read(
    site: Site, tmp_path: pathlib.Path
) -> None:
    data = read_component("math")
    (tmp_path / "math.wasm").write_bytes(data)
    site.apply("math", source={"file": {"path": str(tmp_path / "math.wasm")}})
    wait_until(lambda: site.deployment("math"), "the Deployment")
    serve(site, "math", tmp_path)
    assert status(site, "math")["artifact"]["digest"] == digests.compute_digest(data)
    assert digests.compute_digest(data) in site.condition("math", "Loaded")["message"]
