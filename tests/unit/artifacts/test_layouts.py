import json
from datetime import UTC, datetime

from wasmoor_runtime.artifacts import layouts
from wasmoor_runtime.artifacts.layouts import Interfaces

DIGEST = f"sha256:{'a' * 64}"


def test_the_same_input_gives_the_same_digest_in_any_order() -> None:
    one = layouts.render_layout(DIGEST, 8, Interfaces(imports=["b", "a"]), annotations={"x": "1", "y": "2"})
    two = layouts.render_layout(DIGEST, 8, Interfaces(imports=["a", "b"]), annotations={"y": "2", "x": "1"})
    assert one == two


def test_the_config_says_what_readers_of_the_layout_demand() -> None:
    interfaces = Interfaces(imports=["wasi:clocks/wall-clock@0.2.3"], exports=["acme:clock/api@1.0.0"])
    created = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    layout = layouts.render_layout(DIGEST, 8, interfaces, annotations={}, created=created)
    assert json.loads(layout.config) == {
        "architecture": "wasm",
        "os": "wasip2",
        "created": "2026-01-02T03:04:05Z",
        "layerDigests": [DIGEST],
        "component": {"imports": ["wasi:clocks/wall-clock@0.2.3"], "exports": ["acme:clock/api@1.0.0"]},
    }


def test_the_manifest_has_one_layer_and_no_empty_annotations() -> None:
    document = json.loads(layouts.render_layout(DIGEST, 8, Interfaces(), annotations={}).manifest)
    assert document["layers"] == [{"mediaType": "application/wasm", "digest": DIGEST, "size": 8}]
    assert document["config"]["mediaType"] == "application/vnd.wasm.config.v0+json"
    assert "annotations" not in document
