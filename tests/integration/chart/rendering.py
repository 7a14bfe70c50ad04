"""Renders the chart with the helm that `tests.cluster` installs. Called by the chart's tests."""

from __future__ import annotations

import json
import pathlib
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from tests.cluster import paths, toolchain

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
CHART = REPOSITORY / "charts" / "wasmoor"
RELEASE = "wasmoor"
NAMESPACE = "wasmoor-system"


def run_helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run helm and return what it said, whether it succeeded or not."""
    helm = toolchain.find_tools(paths.find_paths()).find("helm")
    return subprocess.run([helm, *arguments], capture_output=True, text=True, timeout=60, check=False)


def template(values: Mapping[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
    """Run `helm template` with these values, each given as JSON."""
    words = [word for name, value in (values or {}).items() for word in ("--set-json", f"{name}={json.dumps(value)}")]
    where = ["--namespace", NAMESPACE, "--kube-version", "1.36.3"]
    return run_helm("template", RELEASE, str(CHART), *where, *words)


def render_chart(values: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Return every manifest of the chart with these values."""
    done = template(values)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def select(manifests: Sequence[dict[str, Any]], kind: str) -> Iterator[dict[str, Any]]:
    """Return the manifests of one kind."""
    return (manifest for manifest in manifests if manifest["kind"] == kind)


def find_one(manifests: Sequence[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Return the only manifest of one kind."""
    found = list(select(manifests, kind))
    assert len(found) == 1, [manifest["metadata"]["name"] for manifest in found]
    return found[0]


def read_environment(deployment: Mapping[str, Any]) -> dict[str, str]:
    """Return the plain environment variables of the operator's container."""
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return {entry["name"]: entry["value"] for entry in container["env"] if "value" in entry}
