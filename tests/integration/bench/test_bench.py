"""The benchmark runs and prints its table; what it measures in a tiny round says nothing, and decides nothing."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]


async def test_one_tiny_round_fills_the_table_and_loses_no_call() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench", "--quick",
        cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(300):
        output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    lines = output.decode().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert rows[0] == ["", "wasmoor", "wasmoor, SDK only", "plain SDK server", "direct calls"]
    table = {row[0]: row[1:] for row in rows[2:]}
    for component in ("small", "18 MB"):
        for connections in (1, 4, 16, 64):
            assert all(table[f"{component}: calls at {connections} (1/s)"][:3])
            assert all(table[f"{component}: p99 at {connections} (us)"][:3])
        assert all(table[f"{component}: one call (us)"])
        assert table[f"{component}: calls not answered well"][:3] == ["0", "0", "0"]
        assert table[f"{component}: cold start to first answer (s)"][0]
        assert all(table[f"{component}: cached start to first answer (s)"][:3])
        assert all(table[f"{component}: memory after one call (MiB)"][:3])
    assert table["calls lost while 5 % hang"][0] == "0"
    assert table["deadline to error reply, p50 (ms)"][0]
    assert "The peer was not run" in lines[-1]
