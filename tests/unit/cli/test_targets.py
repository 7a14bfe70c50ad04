from __future__ import annotations

from pathlib import Path

import pytest

from wasmoor_runtime.cli.problems import UserError
from wasmoor_runtime.cli.targets import Place, decide_name, find_component
from wasmoor_runtime.sources.cache import Cache

MANIFEST = """
apiVersion: wasmoor.dev/v1alpha1
kind: WasmComponent
metadata: {name: %s, namespace: %s}
spec: {source: {file: {path: /a.wasm}}}
---
"""


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("oci://ghcr.io/acme/Text_tool:1.2", "text-tool"),
        ("oci://localhost:5000/math@sha256:00", "math"),
        ("https://files.example/a/time.wasm?token=x#sha256=00", "time"),
        ("./My Tool.wasm", "my-tool"),
        ("/", "component"),
    ],
)
def test_a_component_at_a_location_is_named_by_its_last_part(target: str, name: str) -> None:
    assert decide_name(target) == name


def test_a_component_of_manifests_is_named_with_its_namespace_where_two_have_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(MANIFEST % ("a", "one") + MANIFEST % ("a", "two") + MANIFEST % ("b", "two"))
    place = Place(cache=Cache(tmp_path), manifests=tmp_path)
    assert find_component("two/a", place).ref.namespace == "two"
    assert find_component("b", place).where == "/a.wasm"
    with pytest.raises(UserError, match=r"a: several components of .* write one of one/a, two/a"):
        find_component("a", place)
    with pytest.raises(UserError, match=r"c: no WasmComponent of .* there are one/a, two/a, two/b"):
        find_component("c", place)


def test_a_word_that_is_no_file_is_told_what_would_be_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="my-tool: no such file: name a file, oci://"):
        find_component("my-tool", Place(cache=Cache(tmp_path)))
