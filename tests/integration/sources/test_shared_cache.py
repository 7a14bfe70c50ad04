"""The cache between pulls: damage, several pulls at once, a disk that is full."""

import asyncio
import pathlib
import subprocess
import sys

import pytest

from tests.integration.sources import misbehaving
from tests.integration.sources.misbehaving import Artifact, Server
from wasmoor_runtime.artifacts import digests
from wasmoor_runtime.contract.document import PinnedHttpSource, PinnedOciSource
from wasmoor_runtime.sources import cache, oci
from wasmoor_runtime.sources.http import HttpFetcher

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
    """Overwrite every entry of the cache; return how many."""
    files = [entry.path for entry in cache.list_entries(folder)]
    for path in files:
        path.write_bytes(data)
    return len(files)


def read(path: pathlib.Path) -> bytes:
    return path.read_bytes()


# Fetches and compiles nothing: uses eight components in a random order, in a cache with room for three, for a while.
USE_A_SMALL_CACHE = """
import asyncio, hashlib, pathlib, random, sys
from wasmoor_runtime.contract.document import PinnedHttpSource
from wasmoor_runtime.sources.cache import Cache
from wasmoor_runtime.sources.http import HttpFetcher

folder, size, seed, *pairs = sys.argv[1:]
sources = [PinnedHttpSource(url=pair.partition(" ")[0], digest=pair.partition(" ")[2]) for pair in pairs]

async def use():
    chosen = random.Random(int(seed))
    for _ in range(25):
        source = chosen.choice(sources)
        # A cache of its own each time: what one round used is free for the next.
        cache = Cache(pathlib.Path(folder), max_bytes=int(size))
        blob = await HttpFetcher(cache).fetch(source)
        assert "sha256:" + hashlib.sha256(blob.path.read_bytes()).hexdigest() == source.digest
        del cache

asyncio.run(use())
print("done")
"""


async def test_eight_processes_fetch_and_evict_at_once_in_one_small_cache(server: Server, folder: pathlib.Path) -> None:
    layers = [b"\0asm\x0d\x00\x01\x00" + bytes([number]) * 300_000 for number in range(8)]
    pairs = []
    for number, layer in enumerate(layers):
        server.routes["GET", f"/{number}"] = misbehaving.give(layer)
        pairs.append(f"http://{server.address}/{number} {digests.compute_digest(layer)}")
    bound = 3 * len(layers[0])

    async def use(seed: int) -> tuple[str, str]:
        command = [sys.executable, "-c", USE_A_SMALL_CACHE, str(folder), str(bound), str(seed), *pairs]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
        output, errors = await asyncio.wait_for(process.communicate(), 120)
        return output.decode(), errors.decode()

    ends = await asyncio.gather(*(use(seed) for seed in range(8)))

    assert [output for output, _ in ends] == ["done\n"] * 8, [errors for _, errors in ends]
    assert len(server.seen) > len(layers), "nothing was ever evicted"
    assert list((folder / "tmp").glob("*")) == []
    left = cache.list_entries(folder)
    assert not any(entry.in_use for entry in left)
    assert {entry.name for entry in left} <= {pair.partition(" ")[2] for pair in pairs}
    cache.Cache(folder, max_bytes=bound).space.make_room()
    assert sum(entry.size for entry in cache.list_entries(folder)) <= bound


async def test_what_a_process_serves_stays_whatever_others_need(server: Server, folder: pathlib.Path) -> None:
    layers = [b"\0asm\x0d\x00\x01\x00" + bytes([number]) * 1000 for number in range(3)]
    sources = []
    for number, layer in enumerate(layers):
        server.routes["GET", f"/{number}"] = misbehaving.give(layer)
        digest = digests.compute_digest(layer)
        sources.append(PinnedHttpSource(url=f"http://{server.address}/{number}", digest=digest))
    serving = cache.Cache(folder, max_bytes=1500)
    served = await HttpFetcher(serving).fetch(sources[0])
    for source in sources[1:]:
        await HttpFetcher(cache.Cache(folder, max_bytes=1500)).fetch(source)
    assert read(served.path) == layers[0]
    assert sources[1].digest not in {entry.name for entry in cache.list_entries(folder)}
