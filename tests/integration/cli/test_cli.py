"""The command `wasmoor` as people type it, with a real registry and real components."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import wasmtime

from tests.integration.mcp.pods import COMPONENTS, find_port
from tests.integration.sources.registries import run_registry

COMPONENT = """
apiVersion: wasmoor.dev/v1alpha1
kind: WasmComponent
metadata: {{name: {name}, namespace: tools}}
spec: {{source: {{oci: {{reference: "{reference}"}}}}}}
"""
SECONDS = 60


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*words), capture_output=True, text=True, timeout=SECONDS, check=False)


def command(*words: str) -> list[str]:
    return [sys.executable, "-c", "from wasmoor_runtime.cli import main; main()", *words]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("registry")
    with run_registry(folder) as address:
        for name in ("sleep", "trap"):
            file = folder / f"{name}.wasm"
            file.write_bytes(wasmtime.wat2wasm((COMPONENTS / f"{name}.wat").read_text("utf-8")))
            pushed = run("component", "push", str(file), f"{address}/{name}:1")
            assert pushed.returncode == 0, pushed.stderr
            assert pushed.stdout.startswith(f"{address}/{name}@sha256:")
        yield address


@contextlib.contextmanager
def serving(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run `wasmoor serve` over the folder until left; its tools can be called when this is entered."""
    port, admin = find_port(), find_port()
    ports = ("--port", str(port), "--admin-port", str(admin), "--cache", str(folder / "cache"))
    process = subprocess.Popen(
        command("serve", "-f", str(folder), *ports, *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        end = time.monotonic() + SECONDS
        while not is_ready(admin):
            assert time.monotonic() < end, "it did not become ready"
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        yield process, port
    finally:
        process.kill()
        process.communicate()


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_manifests_are_served_called_and_stopped(tmp_path: Path, registry: str) -> None:
    """The reference names a registry that is not there; a mirror of it is."""
    for name in ("sleep", "trap"):
        text = COMPONENT.format(name=name, reference=f"registry.invalid/{name}:1")
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
    broken = COMPONENT.format(name="gone", reference="registry.invalid/gone:1")
    (tmp_path / "zzz.yaml").write_text(f"{broken}---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: tools}}\n")
    with serving(tmp_path, "--mirror", f"registry.invalid=http://{registry}") as (process, port):
        url = f"http://127.0.0.1:{port}/tools/sleep/mcp"
        good = run("call", url, "sleep", "--args", '{"milliseconds": 2}')
        wrong = run("call", url, "sleep", "--args", '{"milliseconds": "x"}')
        missing = run("call", url, "nope")
        elsewhere = run("call", f"http://127.0.0.1:{port}/tools/gone/mcp", "sleep")
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=SECONDS)
        assert process.returncode == 0
    assert (good.returncode, good.stdout) == (0, '{\n  "result": 2\n}\n')
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("InvalidArguments: at /milliseconds: expected ")
    assert (missing.returncode, missing.stderr) == (2, f"error: {url}: Unknown tool: nope\n")
    assert elsewhere.returncode == 2
    assert "HTTP 503: tools/gone is Failed: " in elsewhere.stderr
    assert elsewhere.stderr.count("\n") == 1
    assert url in stdout
    assert "ArtifactNotFound" in stdout
    assert "skipped Namespace tools" in stderr
    assert "Traceback" not in stderr


def test_when_nothing_can_be_served_it_ends_with_exit_code_1_and_says_why(tmp_path: Path, registry: str) -> None:
    (tmp_path / "a.yaml").write_text(COMPONENT.format(name="gone", reference=f"{registry}/gone:1"), "utf-8")
    ports = ("--port", str(find_port()), "--admin-port", str(find_port()), "--cache", str(tmp_path / "cache"))
    result = run("serve", "-f", str(tmp_path), *ports)
    assert result.returncode == 1
    assert "ArtifactNotFound" in result.stdout


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("serve", "-f", "{folder}"), "error: {folder}/a.yaml (WasmComponent tools/a): spec: unknown field sources"),
        (("serve", "-f", "{folder}/nope"), "error: {folder}/nope: no such file or directory"),
        (("serve", "-f", "{folder}", "--mirror", "x"), "error: mirror 'x' is not HOST=URL"),
        (("serve", "-f", "{folder}", "--log-format", "xml"), "error: --log-format xml: write auto, json or text"),
        (("component", "push", "{folder}/a.yaml", "127.0.0.1:1/a:1"), "error: {folder}/a.yaml is not WebAssembly"),
        (("component", "push", "{folder}/nope", "127.0.0.1:1/a:1"), "error: {folder}/nope cannot be read"),
        (("serve",), "error: Missing option '--file' / '-f'"),
        (("serve", "-f", ".", "--port", "x"), "error: Invalid value for '--port': "),
        (("sevre",), "error: No such command 'sevre'"),
        (("call", "127.0.0.1:1", "x"), "error: 127.0.0.1:1: write a URL that begins with http:// or https://"),
        (("call", "http://127.0.0.1:1/mcp", "x"), "error: http://127.0.0.1:1/mcp: "),
        (("call", "http://127.0.0.1:1/mcp", "x", "--args", "["), "error: --args: no JSON"),
    ],
)
def test_what_a_person_gets_wrong_is_one_line_and_exit_code_2(
    tmp_path: Path, words: tuple[str, ...], line: str
) -> None:
    spec = '{sources: {}, source: {oci: {reference: "localhost:1/a:1"}}}'
    text = COMPONENT.format(name="a", reference="").replace('{source: {oci: {reference: ""}}}', spec)
    (tmp_path / "a.yaml").write_text(text, "utf-8")
    result = run(*(word.format(folder=tmp_path) for word in words))
    assert result.returncode == 2
    assert result.stderr.startswith(line.format(folder=tmp_path))
    assert result.stderr.count("\n") == 1


def test_version_names_what_matters() -> None:
    result = run("version")
    assert result.returncode == 0
    assert result.stdout.startswith("wasmoor ")
    assert "wasmtime 50" in result.stdout


def test_help_names_the_commands() -> None:
    result = run("--help")
    assert result.returncode == 0
    for name in ("serve", "component", "call", "version"):
        assert name in result.stdout
