"""The official programs that judge an MCP server: the conformance suite and the Inspector, pinned by package-lock.json.

Both run on Node.js 22 or newer, which comes with them from the same lock file. They are installed once, into the cache.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wasmoor_runtime.settings import decide_cache

HERE = Path(__file__).parent
MANIFESTS = ("package.json", "package-lock.json")
REVISIONS = ("2026-07-28", "2025-11-25")
_SUITE = "@modelcontextprotocol/conformance/dist/index.js"
_INSPECTOR = "@modelcontextprotocol/inspector/clients/launcher/build/index.js"
_ARCHITECTURES = {"x86_64": "x64", "aarch64": "arm64"}
_SECONDS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a program said, and how it ended."""

    code: int
    text: str


def install() -> Path:
    """Return the folder of the installed packages; the first time this takes a minute and needs a package registry."""
    key = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in MANIFESTS)).hexdigest()[:16]
    home = decide_cache(os.environ) / "toolchains" / f"conformance-{key}"
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / ".ready").exists():
            for name in MANIFESTS:
                shutil.copy(HERE / name, home)
            # Scripts of packages are not run: what is here needs none, and nobody reviewed them.
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"npm ci failed:\n{done.stdout}{done.stderr}"
            (home / ".ready").touch()
    return home / "node_modules"


async def run_suite(url: str, revision: str, output: Path) -> Run:
    """Run all scenarios that a revision requires; the exit code is 0 when they end as `expected-REVISION.yml` says."""
    expected = HERE / f"expected-{revision}.yml"
    return await _run(
        _SUITE, "server", "--url", url, "--requirements", revision,
        "--expected-failures", str(expected), "--output-dir", str(output),
    )  # fmt: skip


async def run_inspector(url: str, era: str, *words: str) -> Run:
    """Run one method of the Inspector's command line against a server."""
    return await _run(_INSPECTOR, "--cli", url, "--transport", "http", "--protocol-era", era, *words)


def read_checks(output: Path) -> Mapping[str, Mapping[str, str]]:
    """Return the status of every check, by scenario; `SUCCESS` where all runs of a check went well."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(output.glob("server-*/checks.json")):
        # The folder is called after the scenario and the time.
        scenario = path.parent.name.removeprefix("server-").partition("-2026-")[0].partition("-20")[0]
        checks: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
        statuses = found.setdefault(scenario, {})
        for check in checks:
            if statuses.get(check["id"], "SUCCESS") == "SUCCESS":
                statuses[check["id"]] = check["status"]
    return found


async def _run(program: str, *words: str) -> Run:
    modules = await asyncio.to_thread(install)
    node = modules / f"node-linux-{_ARCHITECTURES[platform.machine()]}" / "bin" / "node"
    process = await asyncio.create_subprocess_exec(
        node, modules / program, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        stdin=asyncio.subprocess.DEVNULL, env={**os.environ, "NO_COLOR": "1", "CI": "1"},
    )  # fmt: skip
    try:
        async with asyncio.timeout(_SECONDS):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Run(code=process.returncode or 0, text=output.decode(errors="replace"))
