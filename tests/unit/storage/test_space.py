"""What goes when a cache is full, and what never does."""

import os
import pathlib

import pytest

from wasmoor_runtime.storage import holds, space
from wasmoor_runtime.storage.space import Freed, Space


def put(root: pathlib.Path, name: str, size: int, used: float) -> pathlib.Path:
    """Make an entry that was used `used` seconds after the epoch."""
    path = root / (space.COMPILED if name.endswith("wasm") else space.COMPONENTS) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    os.utime(path, (used, used))
    return path


def names(root: pathlib.Path) -> list[str]:
    return [entry.path.name for entry in space.list_entries(root)]


def test_what_was_used_longest_ago_goes_first_whatever_it_is(tmp_path: pathlib.Path) -> None:
    put(tmp_path, "b", 100, 2)
    put(tmp_path, "a.cwasm", 100, 1)
    put(tmp_path, "c", 100, 3)
    assert Space(tmp_path, 200).make_room() == Freed(entries=1, size=100)
    assert names(tmp_path) == ["b", "c"]
    assert Space(tmp_path, 200).make_room(needed=150) == Freed(entries=2, size=200)
    assert names(tmp_path) == []


def test_nothing_goes_while_there_is_room_or_no_bound(tmp_path: pathlib.Path) -> None:
    put(tmp_path, "a", 100, 1)
    assert Space(tmp_path, 200).make_room(needed=100) == Freed()
    assert Space(tmp_path).make_room(needed=1 << 40) == Freed()
    assert names(tmp_path) == ["a"]


def test_using_a_file_makes_it_the_last_to_go(tmp_path: pathlib.Path) -> None:
    oldest = put(tmp_path, "a", 100, 1)
    put(tmp_path, "b", 100, 2)
    other = holds.Holds()
    assert other.take(oldest)
    other.release(oldest)
    Space(tmp_path, 100).make_room()
    assert names(tmp_path) == ["a"]


def test_what_is_in_use_stays_even_beyond_the_bound(tmp_path: pathlib.Path) -> None:
    used = put(tmp_path, "a", 100, 1)
    put(tmp_path, "b", 100, 2)
    user = holds.Holds()
    assert user.take(used)
    assert Space(tmp_path, 0).make_room() == Freed(entries=1, size=100)
    assert names(tmp_path) == ["a"]
    user.release(used)
    assert Space(tmp_path, 0).make_room() == Freed(entries=1, size=100)


def test_what_a_process_used_is_free_once_its_holds_are_gone(tmp_path: pathlib.Path) -> None:
    path = put(tmp_path, "a", 100, 1)
    user = holds.Holds()
    user.take(path)
    assert holds.is_held(path)
    del user
    assert not holds.is_held(path)


def test_a_checksum_goes_and_counts_with_its_code(tmp_path: pathlib.Path) -> None:
    put(tmp_path, "a.cwasm", 100, 1)
    checksum = tmp_path / space.COMPILED / "a.sha256"
    checksum.write_bytes(bytes(64))
    assert [entry.size for entry in space.list_entries(tmp_path)] == [164]
    assert Space(tmp_path, 163).make_room() == Freed(entries=1, size=164)
    assert not checksum.exists()


def test_a_full_disk_frees_what_nobody_uses_whatever_the_bound(tmp_path: pathlib.Path) -> None:
    put(tmp_path, "a", 100, 1)
    put(tmp_path, "b", 100, 2)
    assert Space(tmp_path).free(50) == Freed(entries=1, size=100)
    assert names(tmp_path) == ["b"]


@pytest.mark.parametrize("name", ["tmp/x", "compiled/x.part"])
def test_unfinished_files_go_when_nobody_writes_to_them_any_more(tmp_path: pathlib.Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir()
    path.write_bytes(b"half")
    space.sweep(tmp_path)
    assert path.exists()
    os.utime(path, (0, 0))
    space.sweep(tmp_path)
    assert not path.exists()


def test_a_hold_keeps_the_file_that_a_name_had_when_it_was_taken(tmp_path: pathlib.Path) -> None:
    path = put(tmp_path, "a", 100, 1)
    user = holds.Holds()
    assert user.take(path)
    replacement = tmp_path / "new"
    replacement.write_bytes(b"new")
    replacement.replace(path)
    assert not holds.is_held(path)
    assert user.take(path)
    assert holds.is_held(path)


def test_there_is_nothing_to_hold_where_there_is_no_file(tmp_path: pathlib.Path) -> None:
    assert not holds.Holds().take(tmp_path / "nothing")
    assert not holds.is_held(tmp_path / "nothing")
