from __future__ import annotations

from pathlib import Path

from wasmoor_runtime.cli.assembly import Plan, decide_plans
from wasmoor_runtime.cli.changes import decide_changes, observe_manifests
from wasmoor_runtime.cli.manifests import parse_documents
from wasmoor_runtime.cli.schemas import load_schemas
from wasmoor_runtime.sources.cache import Cache
from wasmoor_runtime.sources.pinning import Settings

COMPONENT = """
apiVersion: wasmoor.dev/v1alpha1
kind: WasmComponent
metadata: {name: %s, namespace: tools}
spec: {source: {oci: {reference: "localhost:1/text:%s"}}}
---
"""
POLICY = """
apiVersion: wasmoor.dev/v1alpha1
kind: ComponentPolicy
metadata: {name: %s, namespace: tools}
spec: {default: %s, limits: {memory: %s}}
---
"""


def read(text: str) -> dict[str, Plan]:
    found = decide_plans(parse_documents(text, "a.yaml"), load_schemas(), Cache(Path("/nowhere")), Settings())
    return {plan.path: plan for plan in found.plans}


def test_components_that_come_change_and_go_are_told_apart() -> None:
    before = read(COMPONENT % ("a", 1) + COMPONENT % ("b", 1) + COMPONENT % ("c", 1))
    found = decide_changes(before, read(COMPONENT % ("b", 1) + COMPONENT % ("c", 2) + COMPONENT % ("d", 1)).values())
    names = [[plan.ref.name for plan in plans] for plans in (found.added, found.changed, found.removed)]
    assert names == [["d"], ["c"], ["a"]]


def test_a_policy_changes_those_it_applies_to_and_nobody_else() -> None:
    text = COMPONENT % ("a", 1) + POLICY % ("other", "false", "8Mi")
    default = POLICY % ("mine", "true", "16Mi")
    assert not decide_changes(read(text), read(text.replace("8Mi", "9Mi")).values()).changed
    assert decide_changes(read(text), read(text + default).values()).changed
    assert decide_changes(read(text + default), read(text + default.replace("16Mi", "17Mi")).values()).changed


def test_where_a_manifest_stands_does_not_matter() -> None:
    text = COMPONENT % ("a", 1)
    found = decide_changes(read(text), read("---\n" + text + POLICY % ("new", "false", "8Mi")).values())
    assert (found.added, found.changed, found.removed) == ((), (), ())


def test_a_file_that_is_written_replaced_or_removed_looks_different(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a", "utf-8")
    looks = [observe_manifests(tmp_path)]
    file.write_text("ab", "utf-8")
    looks.append(observe_manifests(tmp_path))
    (tmp_path / "b.txt").write_text("ab", "utf-8")
    assert observe_manifests(tmp_path) == looks[-1]
    (tmp_path / "b.txt").rename(file)
    looks.append(observe_manifests(tmp_path))
    file.unlink()
    looks.append(observe_manifests(tmp_path))
    assert len(set(looks)) == len(looks)
