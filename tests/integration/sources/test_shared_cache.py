"""The cache between pulls: damage, several pulls at once, a disk that is full."""

import asyncio
import pathlib
import subprocess
import sys

import pytest

from tests.integration.sources.misbehaving import Artifact, Server
from wasmoor_runtime.contract.document import PinnedOciSource
from wasmoor_runtime.sources import oci

pytestmark = pytest.mark.integration

# Pulls in a process of its own, whose files may have one MiB and no more.
PULL_ON_A_FULL_DISK = """
import asyncio, pathlib, resource, sys
from wasmoor_runtime import errors
from wasmoor_runtime.contract.document import PinnedOciSource
from wasmoor_runtime.sources import cache, oci

resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
reference, digest, folder = sys.argv[1:]
source = PinnedOciSource(reference=reference, digest=digest)
try:
    asyncio.run(oci.OciFetcher(cache.Cache(pathlib.Path(folder))).fetch(source))
except errors.Waiting as fault:
    print(fault)
"""


def pin(server: Server, artifact: Artifact) -> PinnedOciSource:
    return PinnedOciSource(
        reference=f"{server.address}/{artifact.repository}:1", digest=artifact.layout.manifest_digest
    )


@pytest.mark.parametrize("damage", [b"", b"\0asm\x0d\x00\x01\x00"])
async def test_damaged_entries_are_pulled_again(
    server: Server, artifact: Artifact, fetcher: oci.OciFetcher, folder: pathlib.Path, damage: bytes
) -> None:
    artifact.serve(server)
    await fetcher.fetch(pin(server, artifact))
    before = len(server.seen)
    assert overwrite(folder, damage) == 2
    blob = await fetcher.fetch(pin(server, artifact))
    assert read(blob.path) == artifact.layer
    assert [seen.path for seen in server.seen[before:]] == [artifact.manifest_path, artifact.blob_path]


async def test_what_is_in_the_cache_is_not_asked_for(
    server: Server, artifact: Artifact, fetcher: oci.OciFetcher
) -> None:
    artifact.serve(server)
    first = await fetcher.fetch(pin(server, artifact))
    server.seen.clear()
    assert await fetcher.fetch(pin(server, artifact)) == first
    assert server.seen == []


async def test_pulls_at_the_same_time_do_not_disturb_each_other(
    server: Server, artifact: Artifact, fetcher: oci.OciFetcher, folder: pathlib.Path
) -> None:
    artifact.serve(server)
    blobs = await asyncio.gather(*(fetcher.fetch(pin(server, artifact)) for _ in range(8)))
    assert len(set(map(str, (blob.path for blob in blobs)))) == 1
    assert read(blobs[0].path) == artifact.layer
    assert list((folder / "tmp").glob("*")) == []


async def test_a_full_disk_is_pull_failed_and_says_where_and_how_much(
    server: Server, artifact: Artifact, folder: pathlib.Path
) -> None:
    artifact.serve(server)
    source = pin(server, artifact)
    command = [sys.executable, "-c", PULL_ON_A_FULL_DISK, source.reference, source.digest, str(folder)]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith(f"PullFailed: no space left in {folder} for {len(artifact.layer)} bytes")
    assert list((folder / "tmp").glob("*")) == []


def overwrite(folder: pathlib.Path, data: bytes) -> int:
    """Overwrite every file of the cache; return how many."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        path.write_bytes(data)
    return len(files)


def read(path: pathlib.Path) -> bytes:
    return path.read_bytes()
