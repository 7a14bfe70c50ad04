"""The command `wasmoor` as people type it, and a running `wasmoor serve`; for the tests beside this."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import wasmtime

from tests.integration.mcp.pods import COMPONENTS, find_port

SECONDS = 60
MANIFEST = """
apiVersion: wasmoor.dev/v1alpha1
kind: WasmComponent
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{source: {{{source}}}{more}}}
---
"""


def command(*words: str) -> list[str]:
    """Return what runs `wasmoor` with these words."""
    return [sys.executable, "-c", "from wasmoor_runtime.cli import main; main()", *words]


def run(*words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(command(*words), input=given, capture_output=True, text=True, timeout=SECONDS, check=False)


def render_manifest(name: str, source: str, *, namespace: str = "tools", more: str = "") -> str:
    """Return a WasmComponent."""
    return MANIFEST.format(name=name, namespace=namespace, source=source, more=f", {more}" if more else "")


def build_component(folder: Path, name: str) -> Path:
    """Return the file of a component of the tests that is written as text."""
    file = folder / f"{name}.wasm"
    file.write_bytes(wasmtime.wat2wasm((COMPONENTS / f"{name}.wat").read_text("utf-8")))
    return file


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A running `wasmoor serve`."""

    process: subprocess.Popen[str]
    port: int
    admin: int

    def url(self, path: str) -> str:
        """Return the URL of a path on the MCP port."""
        return f"http://127.0.0.1:{self.port}{path}"

    def status(self) -> dict[str, dict[str, Any]]:
        """Return what each component says, by name."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/status", timeout=5) as answer:
            document = json.load(answer)
        return {f"{each['namespace']}/{each['name']}": each for each in document["components"]}

    def is_ready(self) -> bool:
        """Return what `/readyz` says."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for something that must happen."""
        end = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < end, f"{what} did not happen"
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.05)


@contextlib.contextmanager
def serving(folder: Path, *words: str) -> Iterator[Served]:
    """Run `wasmoor serve` over the folder until left; its tools can be called when this is entered."""
    port, admin = find_port(), find_port()
    ports = ("--port", str(port), "--admin-port", str(admin), "--cache", str(folder / "cache"))
    process = subprocess.Popen(
        command("serve", "-f", str(folder), *ports, *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    served = Served(process=process, port=port, admin=admin)
    try:
        served.until(served.is_ready, "being ready")
        yield served
    finally:
        process.kill()
        process.communicate()
