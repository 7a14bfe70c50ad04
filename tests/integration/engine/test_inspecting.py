"""Inspecting real components in a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from tests.integration.workers.pools import find_component
from wasmoor_runtime.capabilities import catalog
from wasmoor_runtime.engine.inspector import Inspection, inspect_component
from wasmoor_runtime.errors import Stalled

pytestmark = pytest.mark.integration


async def inspect(path: Path) -> Inspection:
    return await inspect_component(path, provided=catalog.PROVIDED)


@pytest.mark.parametrize(
    ("name", "language", "function"),
    [
        ("text", "Rust", "slugify"),
        ("stats", "Python", "summarize"),
        ("convert", "JavaScript", "parse-url"),
        ("math", "", "gcd"),
    ],
)
async def test_a_component_of_any_language_is_described_without_compiling_it(
    name: str, language: str, function: str
) -> None:
    found = await inspect(find_component(name))

    assert (found.metadata.name, found.metadata.version, found.metadata.language) == (name, "0.1.0", language)
    assert found.metadata.licenses == "Apache-2.0"
    assert function in {each.id for each in found.functions if not each.unsupported}
    assert function in found.exports
    # The words of the component's author, not the signature that stands in for them.
    assert not next(each for each in found.functions if each.id == function).description.startswith(f"{function}(")
    assert found.missing == ()
    assert found.size == find_component(name).stat().st_size
    assert json.loads(json.dumps(found.to_json())) == found.to_json()


async def test_inspecting_loads_no_engine_into_this_process() -> None:
    script = (
        "import asyncio, sys; from pathlib import Path; from wasmoor_runtime.engine import inspector;"
        f"asyncio.run(inspector.inspect_component(Path({str(find_component('math'))!r}), provided=()));"
        "sys.exit('wasmtime' in sys.modules)"
    )

    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script)

    assert await process.wait() == 0


async def test_what_nobody_provides_is_named_and_the_rest_described() -> None:
    found = await inspect(find_component("fixtures/needs-unknown"))

    assert found.missing == ("acme:secret/vault@1.0.0",)
    assert [each.name for each in found.functions] == ["peek"]


@pytest.mark.parametrize(
    ("content", "reason", "words"),
    [
        (b"not wasm", "NotAComponent", "no WebAssembly"),
        (b"\0asm\x01\0\0\0", "NotAComponent", "core WebAssembly module"),
        (b"\0asm\x0d\0\x01\0\x07\x01\xff", "CompileFailed", "unexpected end"),
    ],
)
async def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, content: bytes, reason: str, words: str) -> None:
    path = tmp_path / "x.wasm"
    path.write_bytes(content)

    with pytest.raises(Stalled, match=words) as raised:
        await inspect(path)

    assert raised.value.reason == reason
    assert str(path) in raised.value.message


async def test_a_file_that_is_not_there_is_artifact_not_found(tmp_path: Path) -> None:
    with pytest.raises(Stalled, match="no such file") as raised:
        await inspect(tmp_path / "absent.wasm")

    assert raised.value.reason == "ArtifactNotFound"
