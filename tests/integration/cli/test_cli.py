"""The command `wasmoor` as people type it, with a real registry and real components."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from tests.integration.cli.commands import SECONDS, build_component, render_manifest, run, serving
from tests.integration.mcp.pods import find_port
from tests.integration.sources.registries import run_registry


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("registry")
    with run_registry(folder) as address:
        for name in ("sleep", "trap"):
            pushed = run("component", "push", str(build_component(folder, name)), f"{address}/{name}:1")
            assert pushed.returncode == 0, pushed.stderr
            assert pushed.stdout.startswith(f"{address}/{name}@sha256:")
        yield address


def oci(reference: str) -> str:
    return f'oci: {{reference: "{reference}"}}'


def test_manifests_are_served_called_listed_and_stopped(tmp_path: Path, registry: str) -> None:
    """The reference names a registry that is not there; a mirror of it is."""
    for name in ("sleep", "trap"):
        (tmp_path / f"{name}.yaml").write_text(render_manifest(name, oci(f"registry.invalid/{name}:1")), "utf-8")
    broken = render_manifest("gone", oci("registry.invalid/gone:1"))
    (tmp_path / "zzz.yaml").write_text(f"{broken}apiVersion: v1\nkind: Namespace\nmetadata: {{name: tools}}\n")
    with serving(tmp_path, "--mirror", f"registry.invalid=http://{registry}") as served:
        url = served.url("/tools/sleep/mcp")
        good = run("call", url, "sleep", "--args", '{"milliseconds": 2}')
        typed = run("call", url, "sleep", "--param", "milliseconds=2", "-o", "yaml")
        wrong = run("call", url, "sleep", "--args", '{"milliseconds": "x"}')
        missing = run("call", url, "nope")
        elsewhere = run("call", served.url("/tools/gone/mcp"), "sleep")
        listed = run("component", "list", "--url", f"http://127.0.0.1:{served.admin}", "-o", "json")
        served.process.send_signal(signal.SIGINT)
        stdout, stderr = served.process.communicate(timeout=SECONDS)
        assert served.process.returncode == 0
    assert (good.returncode, good.stdout) == (0, '{\n  "result": 2\n}\n')
    assert (typed.returncode, typed.stdout) == (0, "result: 2\n")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("InvalidArguments: at /milliseconds: expected ")
    assert (missing.returncode, missing.stderr) == (2, f"error: {url}: Unknown tool: nope\n")
    assert elsewhere.returncode == 3
    assert "HTTP 503: tools/gone is Failed: " in elsewhere.stderr
    assert elsewhere.stderr.count("\n") == 1
    phases = {each["name"]: each["phase"] for each in json.loads(listed.stdout)["components"]}
    assert phases == {"sleep": "Running", "trap": "Running", "gone": "Failed"}
    assert url in stdout
    assert "ArtifactNotFound" in stdout
    assert "skipped Namespace tools" in stderr
    assert "Traceback" not in stderr


def test_when_nothing_can_be_served_it_ends_with_exit_code_1_and_says_why(tmp_path: Path, registry: str) -> None:
    (tmp_path / "a.yaml").write_text(render_manifest("gone", oci(f"{registry}/gone:1")), "utf-8")
    ports = ("--port", str(find_port()), "--admin-port", str(find_port()), "--cache", str(tmp_path / "cache"))
    result = run("serve", "-f", str(tmp_path), *ports)
    assert result.returncode == 1
    assert "ArtifactNotFound" in result.stdout


def test_a_component_is_called_from_a_registry_a_file_and_a_manifest(tmp_path: Path, registry: str) -> None:
    file = build_component(tmp_path, "sleep")
    manifest = tmp_path / "a.yaml"
    manifest.write_text(render_manifest("naps", f'file: {{path: "{file}"}}'), "utf-8")
    targets = (
        (f"oci://{registry}/sleep:1",),
        (str(file),),
        (f"file://{file}",),
        ("naps", "-f", str(manifest)),
        ("tools/naps", "-f", str(manifest)),
    )
    for target, *more in targets:
        words = ("sleep", "--param", "milliseconds=3", "--cache", str(tmp_path / "cache"), *more)
        result = run("component", "call", target, *words)
        assert (result.returncode, json.loads(result.stdout)) == (0, {"result": 3}), result.stderr


def test_arguments_come_from_a_file_from_standard_input_and_from_parameters_that_win(tmp_path: Path) -> None:
    file, cache = str(build_component(tmp_path, "sleep")), ("--cache", str(tmp_path / "cache"))
    (tmp_path / "args.json").write_text('{"milliseconds": 4}', "utf-8")
    from_file = run("component", "call", file, "sleep", "--args", f"@{tmp_path}/args.json", *cache)
    from_input = run("component", "call", file, "sleep", "--args", "-", *cache, given='{"milliseconds": 5}')
    both = run(
        "component", "call", file, "sleep", "--args", f"@{tmp_path}/args.json", "--param", "milliseconds=6", *cache
    )
    answers = [json.loads(each.stdout) for each in (from_file, from_input, both)]
    assert answers == [{"result": 4}, {"result": 5}, {"result": 6}]


def test_monitor_shows_what_the_call_used(tmp_path: Path) -> None:
    file = str(build_component(tmp_path, "sleep"))
    words = ("sleep", "--param", "milliseconds=20", "--monitor", "--cache", str(tmp_path / "cache"))
    found = json.loads(run("component", "call", file, *words).stdout)
    assert (found["answer"], found["verdict"]) == ({"result": 20}, "Ok")
    assert found["usage"]["seconds"] >= 0.02
    assert found["usage"]["cpu_seconds"] < found["usage"]["seconds"]
    as_yaml = yaml.safe_load(run("component", "call", file, *words, "-o", "yaml").stdout)
    assert as_yaml["answer"] == {"result": 20}


def test_load_says_what_each_step_took(tmp_path: Path) -> None:
    file = str(build_component(tmp_path, "sleep"))
    result = run("component", "load", file, "--trace", "-o", "json", "--cache", str(tmp_path / "cache"))
    found = json.loads(result.stdout)
    assert found["tools"] == ["sleep"]
    phases = [step["phase"] for step in found["steps"]]
    assert phases[0] == "Discovering"
    assert phases[-1] == "Running"
    assert sum(step["seconds"] for step in found["steps"]) >= found["steps"][-1]["at"] - 0.01
    for step in found["steps"]:
        assert step["step"] in result.stderr


def test_inspect_shows_tools_with_schemas_imports_and_exports_in_every_format(tmp_path: Path) -> None:
    file, cache = str(build_component(tmp_path, "sleep")), ("--cache", str(tmp_path / "cache"))
    found = json.loads(run("component", "inspect", file, "-o", "json", *cache).stdout)
    (tool,) = found["functions"]
    assert tool["name"] == "sleep"
    assert "milliseconds" in tool["input_schema"]["properties"]
    assert found["missing"] == []
    assert yaml.safe_load(run("component", "inspect", file, "-o", "yaml", *cache).stdout) == found
    table = run("component", "inspect", file, *cache).stdout
    assert "TOOLS\n  sleep  (milliseconds: integer|string)" in table


def test_a_component_that_cannot_be_served_is_inspected_all_the_same_and_says_what_is_missing(tmp_path: Path) -> None:
    file = str(build_component(tmp_path, "needs-unknown"))
    result = run("component", "inspect", file, "--cache", str(tmp_path / "cache"))
    assert result.returncode == 1
    assert "acme:secret/vault@1.0.0  NOT PROVIDED HERE" in result.stdout


def test_what_is_pushed_says_what_it_imports_and_exports(tmp_path: Path, registry: str) -> None:
    file = build_component(tmp_path, "sleep")
    found = json.loads(run("component", "inspect", str(file), "-o", "json").stdout)
    pushed = json.loads(run("component", "push", str(file), f"oci://{registry}/sleep:2", "-o", "json").stdout)
    config = read(registry, f"sleep/manifests/{pushed['digest']}")["config"]
    document = read(registry, f"sleep/blobs/{config['digest']}")
    assert config["mediaType"] == "application/vnd.wasm.config.v0+json"
    assert document["component"] == {"imports": sorted(found["imports"]), "exports": sorted(found["exports"])}
    assert document["layerDigests"] == [pushed["layer_digest"]]


def test_a_push_goes_to_the_mirror_under_the_registrys_name(tmp_path: Path, registry: str) -> None:
    file = build_component(tmp_path, "sleep")
    words = ("registry.invalid/mirrored:1", "--mirror", f"registry.invalid=http://{registry}")
    pushed = run("component", "push", str(file), *words)
    assert pushed.stdout.startswith("registry.invalid/mirrored@sha256:")
    assert read(registry, "mirrored/manifests/1")["layers"][0]["mediaType"] == "application/wasm"


def read(registry: str, path: str) -> dict[str, Any]:
    headers = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
    return dict(httpx2.get(f"http://{registry}/v2/{path}", headers=headers).json())


def test_a_call_that_a_limit_ends_has_an_exit_code_of_its_own(tmp_path: Path) -> None:
    file = build_component(tmp_path, "sleep")
    more = 'execution: {timeout: "50ms"}'
    (tmp_path / "a.yaml").write_text(render_manifest("sleep", f'file: {{path: "{file}"}}', more=more), "utf-8")
    words = ("sleep", "-f", str(tmp_path / "a.yaml"), "--param", "milliseconds=5000", "--cache", str(tmp_path / "c"))
    result = run("component", "call", "sleep", *words)
    assert result.returncode == 4
    assert result.stderr.startswith("ExecutionTimeout: the call took longer than 0.05 seconds")
    trapped = run("component", "call", str(build_component(tmp_path, "trap")), "trap", "--cache", str(tmp_path / "c"))
    assert trapped.returncode == 1
    assert trapped.stderr.startswith("Trapped: ")


def test_the_cache_is_listed_and_pruned_and_what_was_in_it_is_fetched_again(tmp_path: Path) -> None:
    file, cache = str(build_component(tmp_path, "sleep")), ("--cache", str(tmp_path / "cache"))
    call = ("component", "call", file, "sleep", "--param", "milliseconds=1", *cache)
    assert run(*call).returncode == 0
    kinds = [each["kind"] for each in json.loads(run("cache", "list", "-o", "json", *cache).stdout)]
    kept = json.loads(run("cache", "prune", "--older-than", "1h", "-o", "json", *cache).stdout)
    gone = json.loads(run("cache", "prune", "-o", "json", *cache).stdout)
    assert sorted(kinds) == ["compiled", "component"]
    assert kept["removed"] == 0
    assert (gone["removed"], gone["leftBytes"]) == (2, 0)
    assert json.loads(run("cache", "list", "-o", "json", *cache).stdout) == []
    assert run(*call).returncode == 0


def test_policy_check_says_which_policy_applies_and_what_is_wrong(tmp_path: Path) -> None:
    policy = (
        "apiVersion: wasmoor.dev/v1alpha1\nkind: ComponentPolicy\n"
        "metadata: {name: tight, namespace: tools}\nspec: {limits: {memory: 8Mi, executionTimeout: 2s}}\n---\n"
    )
    good = render_manifest("good", oci("localhost:1/a:1"), more="policyRef: {name: tight}")
    bare = render_manifest("bare", oci("localhost:1/a:1"))
    lost = render_manifest("lost", oci("localhost:1/a:1"), more="policyRef: {name: nope}")
    wide = render_manifest("wide", oci("localhost:1/a:1"), more='policyRef: {name: tight}, execution: {timeout: "9s"}')
    (tmp_path / "a.yaml").write_text(policy + good + bare, "utf-8")
    fine = run("policy", "check", "-f", str(tmp_path), "-o", "json")
    found = {each["component"]: each for each in json.loads(fine.stdout)}
    assert fine.returncode == 0
    assert (found["tools/good"]["policy"], found["tools/good"]["timeoutSeconds"]) == ("tight", 2.0)
    assert (found["tools/bare"]["policy"], found["tools/bare"]["source"]) == ("(built-in)", "Default")
    (tmp_path / "b.yaml").write_text(lost, "utf-8")
    assert run("policy", "check", "-f", str(tmp_path)).returncode == 2
    (tmp_path / "b.yaml").write_text(wide, "utf-8")
    refused = run("policy", "check", "-f", str(tmp_path))
    assert refused.returncode == 5
    assert "ExceedsPolicy: spec.execution.timeout is 9s, allowed are 2s" in refused.stdout


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (
            ("serve", "-f", "{folder}"),
            2,
            "error: {folder}/a.yaml, document 1 (WasmComponent tools/a): spec: unknown field",
        ),
        (("serve", "-f", "{folder}/nope"), 2, "error: {folder}/nope: no such file or directory"),
        (("serve", "-f", "{folder}", "--mirror", "x"), 2, "error: mirror 'x' is not HOST=URL"),
        (("serve", "-f", "{folder}", "--log-format", "xml"), 2, "error: --log-format xml: write auto, json or text"),
        (("serve",), 2, "error: Missing option '--file' / '-f'"),
        (("serve", "-f", ".", "--port", "x"), 2, "error: Invalid value for '--port': "),
        (("sevre",), 2, "error: No such command 'sevre'"),
        (("version", "-o", "xml"), 2, "error: Invalid value for '--output' / '-o': "),
        (("component", "push", "{folder}/a.yaml", "127.0.0.1:1/a:1"), 1, "error: NotAComponent: {folder}/a.yaml"),
        (("component", "push", "{folder}/nope", "127.0.0.1:1/a:1"), 3, "error: ArtifactNotFound: {folder}/nope cannot"),
        (
            ("component", "push", "{sleep}", "127.0.0.1:1/a"),
            2,
            "error: ReferenceInvalid: '127.0.0.1:1/a' names neither",
        ),
        (("component", "push", "{sleep}", "127.0.0.1:1/a:1"), 3, "error: RegistryUnavailable: 127.0.0.1:1 could not"),
        (("component", "call", "my-tool", "x"), 2, "error: my-tool: no such file: name a file, oci://"),
        (("component", "call", "ftp://x/y", "x"), 2, "error: ftp:// is not known: write oci://"),
        (("component", "call", "oci://x:y:z", "x"), 2, "error: "),
        (
            ("component", "call", "oci://127.0.0.1:1/a:1", "x"),
            3,
            "error: RegistryUnavailable: 127.0.0.1:1 could not be",
        ),
        (("component", "call", "http://files.example/a.wasm", "x"), 2, "error: ReferenceInvalid: http://files.example"),
        (("component", "call", "{folder}/a.yaml", "x"), 1, "error: NotAComponent: {folder}/a.yaml"),
        (("component", "call", "{sleep}", "nap"), 2, "error: nap: local/sleep has no such tool; it has sleep"),
        (("component", "call", "{sleep}", "sleep"), 2, "error: sleep: at /: missing milliseconds"),
        (("component", "call", "{sleep}", "sleep", "--args", "{{"), 2, "error: --args: no JSON: "),
        (("component", "call", "{sleep}", "sleep", "--args", "[]"), 2, "error: --args: write a JSON object"),
        (("component", "call", "{sleep}", "sleep", "--args", "@{folder}/no"), 2, "error: --args @{folder}/no: "),
        (("component", "call", "{sleep}", "sleep", "--param", "x"), 2, "error: --param x: write NAME=VALUE"),
        (("component", "call", "{sleep}", "sleep", "--param", "ms=1"), 2, "error: --param ms: the tool has no such"),
        (
            ("component", "call", "{sleep}", "sleep", "--param", "milliseconds=long"),
            2,
            "error: --param milliseconds: expected a whole number from 0",
        ),
        (("component", "load", "{unknown}"), 1, "error: UnsupportedInterface: the component imports what is not"),
        (("component", "inspect", "{folder}"), 1, "error: "),
        (("component", "call", "b", "x", "-f", "{folder}/good"), 2, "error: b: no WasmComponent of {folder}/good has"),
        (("component", "list", "--url", "http://127.0.0.1:1"), 3, "error: http://127.0.0.1:1/status: "),
        (("component", "list", "--url", "127.0.0.1:1"), 2, "error: --url 127.0.0.1:1: write a URL"),
        (
            ("policy", "check", "-f", "{folder}/a.yaml"),
            2,
            "error: {folder}/a.yaml, document 1 (WasmComponent tools/a): spec: ",
        ),
        (("cache", "prune", "--older-than", "soon"), 2, "error: --older-than soon: write for example 24h"),
        (("cache", "prune", "--keep", "much"), 2, "error: --keep much: write for example 500Mi"),
        (("call", "127.0.0.1:1", "x"), 2, "error: 127.0.0.1:1: write a URL that begins with http:// or https://"),
        (("call", "http://127.0.0.1:1/mcp", "x"), 3, "error: http://127.0.0.1:1/mcp: "),
        (("call", "http://127.0.0.1:1/mcp", "x", "--args", "["), 2, "error: --args: no JSON"),
    ],
)
def test_what_a_person_gets_wrong_is_one_line_and_an_exit_code_that_says_whose_turn_it_is(
    tmp_path: Path, words: tuple[str, ...], code: int, line: str
) -> None:
    bad = render_manifest("a", oci("localhost:1/a:1"), more="sources: {}")
    (tmp_path / "a.yaml").write_text(bad, "utf-8")
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "b.yaml").write_text(render_manifest("a", oci("localhost:1/a:1")), "utf-8")
    places = {
        "folder": tmp_path,
        "sleep": build_component(tmp_path, "sleep"),
        "unknown": build_component(tmp_path, "needs-unknown"),
    }
    result = run(*(word.format(**places) for word in words))
    assert result.stderr.startswith(line.format(**places)), result.stderr
    assert result.stderr.count("\n") == 1
    assert result.returncode == code


def test_version_names_what_matters() -> None:
    result = run("version")
    assert result.returncode == 0
    assert result.stdout.startswith("wasmoor ")
    assert "wasmtime 50" in result.stdout
    assert json.loads(run("version", "-o", "json").stdout)["wasmtime"].startswith("50")


def test_help_names_the_commands() -> None:
    result = run("--help")
    assert result.returncode == 0
    for name in ("serve", "component", "call", "version", "policy", "cache"):
        assert name in result.stdout


def test_shells_can_complete_commands_and_options() -> None:
    program = Path(sys.executable).with_name("wasmoor")
    for typed, expected in (("wasmoor comp", "component"), ("wasmoor component ins", "inspect")):
        environment = {
            **os.environ,
            "_WASMOOR_COMPLETE": "complete_bash",
            "COMP_WORDS": typed,
            "COMP_CWORD": str(typed.count(" ")),
        }
        result = subprocess.run([program], env=environment, capture_output=True, text=True, timeout=30, check=False)
        assert expected in result.stdout.split()
