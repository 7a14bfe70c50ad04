from __future__ import annotations

from typing import Any

import pytest

from wasmoor_runtime.cli.manifests import Document
from wasmoor_runtime.cli.schemas import Schemas, close_schema, load_schemas

SOURCE = {"oci": {"reference": "localhost:5000/text:1"}}


@pytest.fixture(scope="module")
def schemas() -> Schemas:
    return load_schemas()


def document(kind: str, spec: Any, **extra: Any) -> Document:
    body = {
        "apiVersion": "wasmoor.dev/v1alpha1", "kind": kind, "metadata": {"name": "x", "labels": {"a": "b"}},
        "spec": spec, **extra,
    }  # fmt: skip
    return Document(where="a.yaml", kind=kind, namespace="default", name="x", body=body)


def test_what_the_api_server_takes_is_taken(schemas: Schemas) -> None:
    spec = {
        "source": SOURCE,
        "tools": {"include": ["a*"], "overrides": [{"name": "a", "annotations": {"readOnlyHint": True}}]},
        "execution": {"timeout": "10s", "concurrency": 2},
        "replicas": 2,
        "resources": {"limits": {"memory": "512Mi"}},
        "podTemplate": {"spec": {"nodeSelector": {"a": "b"}}},
    }
    assert schemas.explain(document("WasmComponent", spec)) == []
    assert schemas.explain(document("ComponentPolicy", {"default": True, "limits": {"memory": "64Mi"}})) == []


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({}, "spec: 'source' is a required property"),
        ({"source": SOURCE, "replica": 2}, "spec: unknown field replica; known are execution, "),
        ({"source": {"oci": {"reference": "x", "tag": "1"}}}, "spec.source.oci: unknown field tag; known are insecure"),
        ({"source": SOURCE, "replicas": "two"}, "spec.replicas: 'two' is not of type 'integer'. How many pods."),
        ({"source": SOURCE, "execution": {"timeout": "soon"}}, "spec.execution.timeout: 'soon' does not match"),
        ({"source": SOURCE, "tools": {"overrides": [{"title": "x"}]}}, "spec.tools.overrides[0]: 'name' is a required"),
    ],
)
def test_a_problem_names_document_and_field_and_says_what_the_field_is(
    schemas: Schemas, spec: dict[str, Any], words: str
) -> None:
    (line,) = schemas.explain(document("WasmComponent", spec))
    assert line.startswith(f"a.yaml (WasmComponent default/x): {words}")


def test_an_unknown_field_beside_the_spec_is_told(schemas: Schemas) -> None:
    (line,) = schemas.explain(document("WasmComponent", {"source": SOURCE}, specs={}))
    assert "the document: unknown field specs" in line


def test_closing_keeps_objects_open_that_are_meant_to_be() -> None:
    closed = close_schema(
        {
            "properties": {
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"a": {}}},
                "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {"b": {}}}},
                "list": {"type": "array", "items": {"properties": {"c": {}}}},
            }
        }
    )
    properties = closed["properties"]
    assert closed["additionalProperties"] is False
    assert "additionalProperties" not in properties["free"]
    assert properties["map"]["additionalProperties"]["additionalProperties"] is False
    assert properties["list"]["items"]["additionalProperties"] is False
