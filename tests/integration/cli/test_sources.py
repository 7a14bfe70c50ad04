"""`wasmoor serve` and its kin with components that are in no registry, and with a registry that goes away."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.integration.cli.commands import build_component, render_manifest, run, serving
from tests.integration.sources import misbehaving
from wasmoor_runtime.artifacts import digests

pytestmark = pytest.mark.integration

CONFIG_MAP = """
apiVersion: v1
kind: ConfigMap
metadata: {{name: sleep-wasm, namespace: tools}}
binaryData: {{sleep.wasm: {data}}}
"""
CALL = ("sleep", "--param", "milliseconds=1")


def test_every_kind_of_source_is_served_from_the_same_manifests(tmp_path: Path) -> None:
    data = build_component(tmp_path, "sleep").read_bytes()
    digest = digests.compute_digest(data)
    with misbehaving.run_server() as server:
        server.routes["GET", "/sleep.wasm"] = misbehaving.first(
            misbehaving.cut(data, len(data) // 2), misbehaving.give(data)
        )
        web = f'http: {{url: "http://{server.address}/sleep.wasm", sha256: {digest[7:]}}}'
        texts = (
            render_manifest("web", web),
            render_manifest("map", "configMap: {name: sleep-wasm, key: sleep.wasm}"),
            render_manifest("file", f"file: {{path: {tmp_path}/sleep.wasm}}"),
            render_manifest("lost", "configMap: {name: other, key: sleep.wasm}"),
            CONFIG_MAP.format(data=base64.b64encode(data).decode()),
        )
        (tmp_path / "all.yaml").write_text("\n".join(texts), "utf-8")
        with serving(tmp_path) as served:
            for name in ("web", "map", "file"):
                done = run("call", served.url(f"/tools/{name}/mcp"), *CALL)
                assert (name, done.returncode, done.stderr) == (name, 0, "")
            found = served.status()
    for name in ("web", "map", "file"):
        assert found[f"tools/{name}"]["artifact"]["layerDigest"] == digest
    assert (found["tools/lost"]["phase"], found["tools/lost"]["reason"]) == ("Failed", "ArtifactNotFound")
    assert "the ConfigMap other is not among the manifests" in found["tools/lost"]["message"]


def test_what_runs_is_listed_as_in_use_and_survives_a_pruned_cache(tmp_path: Path) -> None:
    build_component(tmp_path, "sleep")
    (tmp_path / "a.yaml").write_text(render_manifest("file", f"file: {{path: {tmp_path}/sleep.wasm}}"), "utf-8")
    cache = ("--cache", str(tmp_path / "cache"))
    with serving(tmp_path) as served:
        listed = json.loads(run("cache", "list", "-o", "json", *cache).stdout)
        pruned = json.loads(run("cache", "prune", "-o", "json", *cache).stdout)
        done = run("call", served.url("/tools/file/mcp"), *CALL)
    assert {each["kind"] for each in listed if each["inUse"]} == {"component", "compiled"}
    assert pruned["removed"] == 0
    assert done.returncode == 0
    assert json.loads(run("cache", "prune", "-o", "json", *cache).stdout)["leftBytes"] == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [(("--cache-size", "lots"), "write for example 10Gi"), (("--tag-ttl", "soon"), "write for example 10m")],
)
def test_a_bound_that_is_none_is_told(tmp_path: Path, words: tuple[str, str], told: str) -> None:
    done = run("serve", "-f", str(tmp_path), *words)
    assert done.returncode == 2
    assert told in done.stderr
