import contextlib
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from wasmoor_runtime.artifacts import digests
from wasmoor_runtime.artifacts.refusals import Refusal
from wasmoor_runtime.contract.status import Reason
from wasmoor_runtime.sources.cache import Cache, list_entries, prune

DATA = b"\0asm\x0d\x00\x01\x00"
DIGEST = digests.compute_digest(DATA)


def keep(cache: Cache, data: bytes = DATA) -> pathlib.Path:
    return cache.write(digests.compute_digest(data), len(data), [data[:3], data[3:]], lambda _: None)


def test_what_was_written_is_found_and_read(tmp_path: pathlib.Path) -> None:
    cache = Cache(tmp_path / "new" / "cache")
    path = keep(cache)
    assert path == tmp_path / "new/cache/blobs/sha256" / DIGEST.removeprefix("sha256:")
    assert cache.find(DIGEST) == path
    assert cache.read(DIGEST, 100) == DATA
    assert list((tmp_path / "new/cache/tmp").iterdir()) == []


def test_what_is_not_there_is_not_found(tmp_path: pathlib.Path) -> None:
    cache = Cache(tmp_path / "cache")
    assert cache.find(DIGEST) is None
    assert cache.read(DIGEST, 100) is None
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("damaged", [b"", DATA[:-1], DATA + b"\0", DATA[:-1] + b"\x01"])
def test_a_damaged_file_is_as_good_as_none_and_is_replaced(tmp_path: pathlib.Path, damaged: bytes) -> None:
    cache = Cache(tmp_path)
    path = keep(cache)
    path.write_bytes(damaged)
    assert cache.find(DIGEST) is None
    assert cache.read(DIGEST, 100) is None
    keep(cache)
    assert cache.find(DIGEST) == path


def test_more_than_asked_for_is_not_read(tmp_path: pathlib.Path) -> None:
    cache = Cache(tmp_path)
    keep(cache)
    assert cache.read(DIGEST, len(DATA)) == DATA
    assert cache.read(DIGEST, len(DATA) - 1) is None


def test_chunks_that_end_in_a_refusal_leave_nothing(tmp_path: pathlib.Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield DATA
        raise Refusal(Reason.DIGEST_MISMATCH, "other bytes")

    cache = Cache(tmp_path)
    with pytest.raises(Refusal, match="other bytes"):
        cache.write(DIGEST, len(DATA), chunks(), lambda _: None)
    assert cache.find(DIGEST) is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_progress_counts_what_was_written(tmp_path: pathlib.Path) -> None:
    told: list[int] = []
    Cache(tmp_path).write(DIGEST, len(DATA), [DATA[:3], DATA[3:]], told.append)
    assert told == [3, len(DATA)]


def test_old_unfinished_files_are_removed_and_new_ones_left(tmp_path: pathlib.Path) -> None:
    old, new = tmp_path / "tmp" / "old", tmp_path / "tmp" / "new"
    old.parent.mkdir()
    for path in (old, new):
        path.write_bytes(b"half")
    touch_at_epoch(old)
    keep(Cache(tmp_path))
    assert not old.exists()
    assert new.exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Refusal) as caught:
        keep(Cache(tmp_path / "file" / "cache"))
    assert caught.value.reason is Reason.PULL_FAILED
    assert caught.value.delay is None
    assert f"cannot write to {tmp_path / 'file' / 'cache'} (Not a directory)" in caught.value.message


def test_a_folder_of_another_user_is_told_with_who_asks(tmp_path: pathlib.Path) -> None:
    tmp_path.chmod(0o500)
    with as_nobody(), pytest.raises(Refusal) as caught:
        keep(Cache(tmp_path / "cache"))
    assert caught.value.reason is Reason.PULL_FAILED
    assert "(Permission denied); let user" in caught.value.message
    tmp_path.chmod(0o700)


def test_a_bounded_cache_forgets_what_nobody_uses(tmp_path: pathlib.Path) -> None:
    other = Cache(tmp_path, max_bytes=30)
    first = keep(other, DATA + b"1")
    del other
    cache = Cache(tmp_path, max_bytes=30)
    second = keep(cache, DATA + b"2")
    third = keep(cache, DATA + b"3")
    keep(cache, DATA + b"4")
    assert not first.exists()
    assert second.exists()
    assert third.exists()


def test_entries_are_listed_with_what_uses_them(tmp_path: pathlib.Path) -> None:
    assert list_entries(tmp_path / "none") == ()
    cache = Cache(tmp_path)
    path = keep(cache)
    (entry,) = list_entries(tmp_path)
    assert (entry.kind, entry.name, entry.size, entry.in_use) == ("component", DIGEST, len(DATA), True)
    assert entry.path == path
    del cache
    assert [entry.in_use for entry in list_entries(tmp_path)] == [False]


@pytest.mark.parametrize(
    ("wish", "left"),
    [
        ({}, 0),
        ({"keep_bytes": 9}, 1),
        ({"keep_bytes": 100}, 2),
        ({"unused_for": 60.0}, 1),
        ({"unused_for": 60.0, "keep_bytes": 18}, 2),
        ({"unused_for": 60.0, "keep_bytes": 9}, 1),
    ],
)
def test_pruning_takes_what_was_asked_for(tmp_path: pathlib.Path, wish: dict[str, Any], left: int) -> None:
    touch_at_epoch(keep(Cache(tmp_path), DATA + b"1"))
    keep(Cache(tmp_path), DATA + b"2")
    freed = prune(tmp_path, **wish)
    assert (freed.entries, freed.size) == (2 - left, 9 * (2 - left))
    assert len(list_entries(tmp_path)) == left


def test_pruning_leaves_what_is_in_use(tmp_path: pathlib.Path) -> None:
    cache = Cache(tmp_path)
    keep(cache)
    assert prune(tmp_path).entries == 0
    assert cache.find(DIGEST)


def test_content_without_a_name_gets_its_own(tmp_path: pathlib.Path) -> None:
    cache = Cache(tmp_path)
    assert cache.write(None, 0, [DATA], lambda _: None) == cache.find(DIGEST)


@pytest.mark.parametrize("digest", ["", "sha256:../../etc/passwd", f"sha256:{'A' * 64}"])
def test_what_is_no_digest_names_no_file(tmp_path: pathlib.Path, digest: str) -> None:
    with pytest.raises(ValueError, match="no SHA-256 digest"):
        Cache(tmp_path).find(digest)


def touch_at_epoch(path: pathlib.Path) -> None:
    os.utime(path, (0, 0))


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Have no more rights than anybody, where the tests are run by root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
