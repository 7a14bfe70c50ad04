"""`wasmoor serve -f` with a policy that names advisories and denies digests: the same as a cluster would do."""

from __future__ import annotations

import hashlib
import json
import zlib
from pathlib import Path

from tests.integration.cli.commands import build_component, render_manifest, serving
from tests.unit.artifacts.wasm import custom

PACKAGES = {"packages": [{"name": "yaml-rust", "version": "0.3.5", "source": "crates.io"}]}
RECORD = {
    "id": "RUSTSEC-2018-0005",
    "affected": [
        {
            "package": {"ecosystem": "crates.io", "name": "yaml-rust"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "0.4.1"}]}],
        }
    ],
}


def write_policy(folder: Path, name: str, artifacts: object) -> None:
    document = {
        "apiVersion": "wasmoor.dev/v1alpha1",
        "kind": "ComponentPolicy",
        "metadata": {"name": name, "namespace": "tools"},
        "spec": {"artifacts": artifacts},
    }
    (folder / f"policy-{name}.yaml").write_text(json.dumps(document), "utf-8")


def write_component(folder: Path, name: str, path: Path, policy: str) -> None:
    text = render_manifest(name, f"file: {{path: {path}}}", more=f"policyRef: {{name: {policy}}}")
    (folder / f"{name}.yaml").write_text(text, "utf-8")


def write_advisories(folder: Path, records: object) -> None:
    document = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "osv", "namespace": "tools"},
        "data": {"advisories.json": json.dumps(records)},
    }
    (folder / "osv.yaml").write_text(json.dumps(document), "utf-8")


def test_a_component_with_a_known_vulnerability_is_refused_and_the_others_are_served(tmp_path: Path) -> None:
    components = tmp_path / "components"
    components.mkdir()
    good = build_component(components, "sleep")
    vulnerable = components / "vulnerable.wasm"
    vulnerable.write_bytes(good.read_bytes() + custom(".dep-v0", zlib.compress(json.dumps(PACKAGES).encode())))
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    write_advisories(manifests, [RECORD])
    write_policy(manifests, "checked", {"advisories": {"name": "osv", "key": "advisories.json"}})
    write_policy(manifests, "small", {"maxSize": "100"})
    denied = f"sha256:{hashlib.sha256(good.read_bytes()).hexdigest()}"
    write_policy(manifests, "denying", {"denyDigests": [denied]})
    write_component(manifests, "good", good, "checked")
    write_component(manifests, "vulnerable", vulnerable, "checked")
    write_component(manifests, "large", good, "small")
    write_component(manifests, "denied", good, "denying")

    with serving(manifests) as served:
        served.until(
            lambda: len([s for s in served.status().values() if s["phase"] == "Failed"]) == 3, "three failures"
        )
        found = served.status()

    assert {name: each["reason"] for name, each in found.items()} == {
        "tools/good": "Running",
        "tools/vulnerable": "KnownVulnerability",
        "tools/large": "ArtifactTooLarge",
        "tools/denied": "DigestDenied",
    }
    assert "yaml-rust 0.3.5 has RUSTSEC-2018-0005, fixed in 0.4.1" in found["tools/vulnerable"]["message"]
    assert found["tools/vulnerable"]["toolCount"] == 0
    assert found["tools/good"]["component"]["exports"] == ["sleep"]
    assert denied in found["tools/denied"]["message"]


def test_advisories_that_no_longer_speak_against_a_component_have_it_served(tmp_path: Path) -> None:
    good = build_component(tmp_path, "sleep")
    suspect = tmp_path / "suspect.wasm"
    suspect.write_bytes(good.read_bytes() + custom(".dep-v0", zlib.compress(json.dumps(PACKAGES).encode())))
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    write_advisories(manifests, [RECORD])
    write_policy(manifests, "checked", {"advisories": {"name": "osv", "key": "advisories.json"}})
    write_component(manifests, "good", good, "checked")
    write_component(manifests, "suspect", suspect, "checked")

    with serving(manifests) as served:
        served.until(lambda: served.status()["tools/suspect"]["phase"] == "Failed", "the refusal")
        write_advisories(manifests, [RECORD | {"withdrawn": "2026-01-01T00:00:00Z"}])
        served.until(lambda: served.status()["tools/suspect"]["phase"] == "Running", "the reload")
        found = served.status()["tools/suspect"]

    assert found["toolCount"] == 1
