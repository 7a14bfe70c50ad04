from __future__ import annotations

from pathlib import Path

import pytest

from wasmoor_runtime.cli.manifests import find_files, parse_documents, read_manifests
from wasmoor_runtime.cli.problems import UserError

COMPONENT = """
apiVersion: wasmoor.dev/v1alpha1
kind: WasmComponent
metadata: {name: text, namespace: tools}
spec: {source: {oci: {reference: "localhost:5000/text:1"}}}
"""


def problems_of(text: str) -> list[str]:
    with pytest.raises(UserError) as caught:
        parse_documents(text, "a.yaml")
    return list(caught.value.lines)


def test_a_component_is_found_with_its_namespace() -> None:
    (document,) = parse_documents(COMPONENT, "a.yaml").documents
    assert (document.kind, document.namespace, document.name) == ("WasmComponent", "tools", "text")
    assert str(document) == "a.yaml (WasmComponent tools/text)"


def test_without_a_namespace_it_is_default() -> None:
    (document,) = parse_documents(COMPONENT.replace(", namespace: tools", ""), "a.yaml").documents
    assert document.namespace == "default"


def test_json_is_read_too() -> None:
    text = '{"apiVersion": "wasmoor.dev/v1alpha1", "kind": "ComponentPolicy", "metadata": {"name": "p"}, "spec": {}}'
    (document,) = parse_documents(text, "a.json").documents
    assert (document.kind, document.name) == ("ComponentPolicy", "p")


def test_other_kinds_are_skipped_with_a_note_and_empty_documents_without() -> None:
    text = f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: tools}}\n---\n---{COMPONENT}---\n"
    reading = parse_documents(text, "a.yaml")
    assert [document.where for document in reading.documents] == ["a.yaml, document 3"]
    assert reading.notes == ("a.yaml, document 1: skipped Namespace tools: it means nothing without a cluster",)


def test_the_items_of_a_list_are_documents() -> None:
    indented = COMPONENT.strip().replace("\n", "\n  ")
    reading = parse_documents(f"apiVersion: v1\nkind: List\nitems:\n- {indented}\n", "a.yaml")
    assert [document.where for document in reading.documents] == ["a.yaml, item 1"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [", "a.yaml, line 1: no YAML: "),
        ("a: 1\na: 2", "a.yaml, line 2: no YAML: 'a' is written twice"),
        ("- 1", "a.yaml: a manifest is an object with apiVersion, kind, metadata and spec"),
        ("kind: WasmComponent", "a.yaml: apiVersion or kind is missing: write apiVersion: wasmoor.dev/v1alpha1"),
        ("apiVersion: wasmoor.dev/v1\nkind: WasmComponent", "a.yaml: apiVersion wasmoor.dev/v1 is not known: write"),
        ("apiVersion: wasmoor.dev/v1alpha1\nkind: Tool", "a.yaml: kind Tool is not known: write WasmComponent or"),
        (COMPONENT.replace("name: text,", "name: Text,"), "a.yaml: metadata.name: write a name of lower-case"),
        (COMPONENT.replace("namespace: tools", "namespace: ../x"), "a.yaml: metadata.namespace: write a name"),
        (COMPONENT.replace("name: text,", ""), "a.yaml: metadata.name: write a name"),
        ("!!python/object/apply:os.system [id]", "a.yaml, line 1: no YAML: could not determine a constructor"),
        ("[" * 5000, "a.yaml: no YAML: "),
    ],
)
def test_what_cannot_be_understood_is_one_line_that_says_where_and_what_to_write(text: str, line: str) -> None:
    (problem,) = problems_of(text)
    assert problem.startswith(line)
    assert "\n" not in problem


def test_every_bad_document_of_a_file_is_told_at_once() -> None:
    assert len(problems_of("kind: x\n---\n- 1\n---\nkind: y\n")) == 3


def test_only_manifests_directly_in_a_directory_are_read_by_name(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    for name in ("b.yml", "a.yaml", "c.json", "notes.md", "deeper/d.yaml"):
        (tmp_path / name).write_text("", "utf-8")
    assert [file.name for file in find_files(tmp_path)] == ["a.yaml", "b.yml", "c.json"]


def test_a_directory_without_manifests_and_a_missing_path_are_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no manifests: files must end in"):
        read_manifests(tmp_path)
    with pytest.raises(UserError, match="no such file or directory"):
        read_manifests(tmp_path / "nope")


def test_one_name_in_two_files_is_told_with_both_places(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(COMPONENT, "utf-8")
    with pytest.raises(UserError) as caught:
        read_manifests(tmp_path)
    (line,) = caught.value.lines
    assert line.startswith(f"{tmp_path}/b.yaml (WasmComponent tools/text): already stands in {tmp_path}/a.yaml")


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="no UTF-8 text"):
        read_manifests(tmp_path)
