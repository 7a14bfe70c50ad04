"""Servers for the programs of `suite`: pods and `wasmoor serve`, with components that the build left on disk."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from tests.integration.cli import commands
from tests.integration.mcp.pods import Pod, run_pod
from wasmoor_runtime.contract.document import Contract

ROOT = Path(__file__).parents[2]
COMPONENTS = ROOT / ".wasmoor" / "components"

# The suite calls tools by names that WIT cannot spell, so the manifest renames them.
RENAMED = (
    "test-simple-text", "test-image-content", "test-audio-content", "test-embedded-resource", "test-embedded-blob",
    "test-multiple-content-types", "test-error-handling", "test-tool-with-progress", "test-logging-tool",
    "test-streaming-elicitation",
)  # fmt: skip


def find_component(name: str) -> Path:
    """Return the file of a built component: `math`, `fixtures/echo`."""
    component = COMPONENTS / f"{name}.wasm"
    assert component.exists(), f"{component} is not there: run `make components`"
    return component


@contextlib.asynccontextmanager
async def run_component(
    name: str, folder: Path, *options: str, tools: dict[str, Any] | None = None
) -> AsyncIterator[Pod]:
    """Run a pod that serves a built component, with options of its command line, until left."""
    component = find_component(name)
    contract = Contract.model_validate(
        {
            "component": {"namespace": "tools", "name": component.stem},
            "source": {"type": "file", "path": str(component)},
            "tools": tools or {},
            "timing": {"stopTimeoutSeconds": 5},
        }
    )
    path = folder / "contract.json"
    path.write_text(contract.to_json(), "utf-8")
    async with run_pod(folder, path, *options) as pod:
        yield pod


@contextlib.asynccontextmanager
async def run_fixture(folder: Path, *options: str) -> AsyncIterator[Pod]:
    """Run a pod with the suite's tools, under the names that it calls them by."""
    async with run_component("fixtures/conformance", folder, *options, tools=_rename()) as pod:
        yield pod


@contextlib.contextmanager
def serve_fixture(folder: Path) -> Iterator[str]:
    """Run `wasmoor serve` with the same, and return where it answers."""
    source = f"file: {{path: {find_component('fixtures/conformance')}}}"
    manifest = commands.render_manifest("conformance", source, more=f"tools: {json.dumps(_rename())}")
    (folder / "conformance.yaml").write_text(manifest, "utf-8")
    with commands.serving(folder) as served:
        yield served.url("/tools/conformance/mcp")


def _rename() -> dict[str, Any]:
    return {"overrides": [{"name": name, "rename": name.replace("-", "_")} for name in RENAMED]}
