"""Components from files, and from ConfigMaps, which pods see as files."""

import os
import pathlib

import pytest

from wasmoor_runtime import errors
from wasmoor_runtime.artifacts import digests
from wasmoor_runtime.contract.document import PinnedConfigMapSource, PinnedFileSource
from wasmoor_runtime.sources.cache import Cache
from wasmoor_runtime.sources.files import FileFetcher, PinnedFile

COMPONENT = b"\0asm\x0d\x00\x01\x00"
DIGEST = digests.compute_digest(COMPONENT)


async def refuse(tmp_path: pathlib.Path, source: PinnedFile) -> errors.RuntimeFault:
    with pytest.raises(errors.RuntimeFault) as caught:
        await FileFetcher(Cache(tmp_path / "cache")).fetch(source)
    return caught.value


def write(tmp_path: pathlib.Path, data: bytes = COMPONENT) -> str:
    path = tmp_path / "time.wasm"
    path.write_bytes(data)
    return str(path)


async def test_a_file_is_hashed_and_copied_so_that_changing_it_changes_nothing_that_runs(
    tmp_path: pathlib.Path,
) -> None:
    source = PinnedFileSource(path=write(tmp_path))
    blob = await FileFetcher(Cache(tmp_path / "cache")).fetch(source)
    write(tmp_path, b"changed")
    assert (blob.digest, blob.manifest_digest, blob.size) == (DIGEST, DIGEST, len(COMPONENT))
    assert blob.path.read_bytes() == COMPONENT


async def test_a_pinned_file_may_be_gone_once_it_is_in_the_cache(tmp_path: pathlib.Path) -> None:
    source = PinnedFileSource(path=write(tmp_path), digest=DIGEST)
    fetcher = FileFetcher(Cache(tmp_path / "cache"))
    first = await fetcher.fetch(source)
    pathlib.Path(source.path).unlink()
    assert await fetcher.fetch(source) == first


async def test_another_file_than_the_pinned_one_is_digest_mismatch(tmp_path: pathlib.Path) -> None:
    fault = await refuse(tmp_path, PinnedFileSource(path=write(tmp_path), digest="sha256:" + "0" * 64))
    assert (type(fault), fault.reason) == (errors.Stalled, "DigestMismatch")
    assert DIGEST in fault.message


async def test_a_missing_file_is_artifact_not_found_and_says_how_it_gets_into_a_pod(tmp_path: pathlib.Path) -> None:
    fault = await refuse(tmp_path, PinnedFileSource(path=str(tmp_path / "none.wasm")))
    assert (type(fault), fault.reason) == (errors.Stalled, "ArtifactNotFound")
    assert "spec.podTemplate" in fault.message


async def test_a_file_that_is_too_large_is_not_read(tmp_path: pathlib.Path) -> None:
    fault = await refuse(tmp_path, PinnedFileSource(path=write(tmp_path, COMPONENT + bytes(100)), max_bytes=50))
    assert fault.reason == "ArtifactTooLarge"
    assert "108 bytes, and 50 are allowed" in fault.message


@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
async def test_what_is_no_plain_file_is_refused_without_waiting_for_it(tmp_path: pathlib.Path, kind: str) -> None:
    path = tmp_path / "odd"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    fault = await refuse(tmp_path, PinnedFileSource(path=str(path)))
    assert (fault.reason, "no plain file" in fault.message) == ("NotAComponent", True)


async def test_text_is_not_a_component_and_is_not_kept(tmp_path: pathlib.Path) -> None:
    fault = await refuse(tmp_path, PinnedFileSource(path=write(tmp_path, b"root:x:0:0:root")))
    assert fault.reason == "NotAComponent"
    assert "root:x" not in fault.message
    assert not list(tmp_path.glob("cache/blobs/*/*"))


async def test_a_config_map_is_read_where_it_is_mounted(tmp_path: pathlib.Path) -> None:
    # As kubelet does it: the key is a link into a folder that is replaced as a whole.
    (tmp_path / "..1").mkdir()
    (tmp_path / "..1" / "time.wasm").write_bytes(COMPONENT)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "time.wasm").symlink_to("..data/time.wasm")
    source = PinnedConfigMapSource(name="time", key="time.wasm", path=str(tmp_path / "time.wasm"), version="7")
    blob = await FileFetcher(Cache(tmp_path / "cache")).fetch(source)
    assert blob.digest == DIGEST

    other = source.model_copy(update={"key": "clock.wasm", "path": str(tmp_path / "clock.wasm")})
    (tmp_path / "cache").rename(tmp_path / "..cache")
    fault = await refuse(tmp_path, other)
    assert fault.message == (
        "the ConfigMap time has no key clock.wasm, but time.wasm; correct spec.source.configMap.key"
    )


async def test_a_config_map_that_is_not_there_is_artifact_not_found(tmp_path: pathlib.Path) -> None:
    (tmp_path / "mounted").mkdir()
    path = str(tmp_path / "mounted" / "time.wasm")
    fault = await refuse(tmp_path, PinnedConfigMapSource(name="time", key="time.wasm", path=path))
    assert (type(fault), fault.reason) == (errors.Stalled, "ArtifactNotFound")
    assert "create it with the key time.wasm" in fault.message
