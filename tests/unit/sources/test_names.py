"""What tags named."""

import json
import pathlib

import pytest

from wasmoor_runtime.sources.names import Names

DIGEST = "sha256:" + "a" * 64


def test_what_was_remembered_is_recalled_for_the_same_reference_alone(tmp_path: pathlib.Path) -> None:
    names = Names(tmp_path / "new")
    assert names.recall("a/b:1") is None
    names.remember("a/b:1", DIGEST)
    found = names.recall("a/b:1")
    assert found is not None
    assert found.digest == DIGEST
    assert found.is_fresh(60)
    assert not found.is_fresh(0)
    assert names.recall("a/b:2") is None


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"reference": "a/b:1", "digest": "../x", "at": 1}'])
def test_a_damaged_memory_is_none(tmp_path: pathlib.Path, damage: bytes) -> None:
    names = Names(tmp_path)
    names.remember("a/b:1", DIGEST)
    next(tmp_path.glob("names/*.json")).write_bytes(damage)
    assert names.recall("a/b:1") is None


def test_an_answer_from_the_future_is_not_fresh(tmp_path: pathlib.Path) -> None:
    names = Names(tmp_path)
    names.remember("a/b:1", DIGEST)
    path = next(tmp_path.glob("names/*.json"))
    path.write_text(json.dumps({**json.loads(path.read_text()), "at": 1e12}))
    found = names.recall("a/b:1")
    assert found is not None
    assert not found.is_fresh(60)


def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path: pathlib.Path) -> None:
    (tmp_path / "names").write_bytes(b"")
    names = Names(tmp_path)
    names.remember("a/b:1", DIGEST)
    assert names.recall("a/b:1") is None
