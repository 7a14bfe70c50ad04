"""What a component must not reach. The guests here try, with their language's ordinary means."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.integration.workers.pools import Pools, call, find_component, result, until, workers, zygote
from wasmoor_runtime.ports import Verdict

pytestmark = pytest.mark.integration

MIB = 1024 * 1024


def _read(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text("ascii")


def _bound(pid: int) -> int | None:
    """Return how much memory a process may write to, None while there is no bound."""
    (line,) = (line for line in _read(pid, "limits").splitlines() if line.startswith("Max data size"))
    soft = line.split()[3]
    return None if soft == "unlimited" else int(soft)


async def test_environment_files_sockets_and_names_are_not_there(pools: Pools) -> None:
    reached = asyncio.Event()

    async def listen(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.set()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    pool = await pools.start(find_component("fixtures/nosy"))

    seen = result(await call(pool, "look", address=f"{host}:{port}", host="localhost"))

    server.close()
    await server.wait_closed()
    assert seen["environment"] == seen["arguments"] == []
    denied = ("root-directory", "password-file", "written-file", "connection", "addresses")
    assert {name: seen[name]["tag"] for name in denied} == dict.fromkeys(denied, "err")
    assert "denied" in seen["connection"]["val"]
    assert not reached.is_set()
    assert not Path("/tmp/nosy").exists()  # noqa: S108 - where the guest tries to write


async def test_an_outgoing_request_is_denied_before_it_leaves(pools: Pools) -> None:
    reached = asyncio.Event()

    async def listen(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.set()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    pool = await pools.start(find_component("fixtures/http-fetch"))

    outcomes = [await call(pool, "fetch", url=f"http://127.0.0.1:{port}/") for _ in range(20)]

    server.close()
    await server.wait_closed()
    assert {each.verdict for each in outcomes} == {Verdict.COMPONENT_ERROR}
    assert {each.payload for each in outcomes} == {b'{"error":"ErrorCode::HttpRequestDenied"}'}
    assert not reached.is_set()


async def test_child_processes_hold_nothing_of_the_pods_environment(pools: Pools) -> None:
    assert "PYTEST_CURRENT_TEST" in os.environ
    pool = await pools.start(find_component("math"))

    for pid in (zygote(pool), *workers(pool)):
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        assert b"PATH=" in environment
        assert b"PYTEST_CURRENT_TEST" not in environment


async def test_workers_are_taken_first_when_memory_runs_out_and_gain_no_privileges(pools: Pools) -> None:
    pool = await pools.start(find_component("math"))

    for pid in workers(pool):
        await until(lambda pid=pid: _read(pid, "oom_score_adj").strip() == "1000", "the worker volunteers")  # type: ignore[misc]
        status = _read(pid, "status")
        assert "NoNewPrivs:\t1" in status
        assert "Threads:\t1" in status


async def test_workers_have_a_bound_on_their_memory_beyond_that_of_the_guest(pools: Pools) -> None:
    pool = await pools.start(find_component("math"), memory_bytes=MIB, request_bytes=1, response_bytes=1)

    for pid in workers(pool):
        await until(lambda pid=pid: _bound(pid) is not None, "the worker binds itself")  # type: ignore[misc]
        assert MIB < (_bound(pid) or 0) < 300 * MIB


async def test_workers_share_nothing_with_the_front_but_their_socket_and_table(pools: Pools) -> None:
    pool = await pools.start(find_component("math"))

    for pid in workers(pool):
        targets = {str(Path(fd).readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir() if int(fd.name) > 2}
        ours = {target for target in targets if not target.endswith(".cwasm")}
        # Of what it may read of the kernel, only what is about itself.
        known = ("socket:", "/memfd:wasmoor-", "anon_inode:", f"/proc/{pid}/")
        assert all(target.startswith(known) for target in ours), ours
