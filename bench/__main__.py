"""Measures and prints one table.

    python -m bench [--rounds 8] [--seconds 0.5] [--quick] [--peer WASSETTE] [--components DIRECTORY]

In every round each server is asked in turn, in the other order every other round, so that what the machine does
meanwhile happens to all of them. `--quick` runs one tiny round of everything: it shows that it works, and no numbers.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import processes, servers
from bench.load import Load, Report
from bench.servers import Server, Tool
from bench.table import OURS, Table

CONNECTIONS = (1, 4, 16, 64)
_BUSY = 16
_CALLS_FOR_MEMORY = 20_000
_LARGE_IS_SLOWER = 10
_HANG_EVERY = 20
_DEADLINE_SECONDS = 1.0
SDK_ONLY, PLAIN, PEER, DIRECT = "wasmoor, SDK only", "plain SDK server", "peer", "direct calls"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured, and with what."""

    rounds: int
    seconds: float
    memory_calls: int
    cold_rounds: int
    components: Path
    peer: Path | None

    @property
    def columns(self) -> tuple[str, ...]:
        """What the table compares."""
        return (OURS, SDK_ONLY, PLAIN, *((PEER,) if self.peer else ()), DIRECT)


class Bench:
    """One run."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self._plan = plan
        self._folder = folder
        self._load = Load(folder)
        self.table = Table(plan.columns)

    def run(self) -> None:
        """Measure everything."""
        numbers = [2, 4, 4, 4, 5, 5, 7, 9, 5]
        small = Tool(component=self._plan.components / "math.wasm", name="add", arguments={"a": 2147483647, "b": 1})
        large = Tool(component=self._plan.components / "stats.wasm", name="summarize", arguments={"numbers": numbers})
        for label, tool in (("small", small), ("18 MB", large)):
            self._say(f"{label}: loading")
            self._measure_starts(label, tool)
            self._say(f"{label}: {self._plan.rounds} rounds")
            self._measure_calls(label, tool)
        self._say("deadlines")
        self._measure_deadlines()

    def _say(self, text: str) -> None:
        sys.stderr.write(f"bench: {text}\n")

    def _starters(self, tool: Tool) -> dict[str, Callable[[], AbstractContextManager[Server]]]:
        starters: dict[str, Callable[[], AbstractContextManager[Server]]] = {
            OURS: lambda: servers.run_wasmoor(tool, self._folder),
            SDK_ONLY: lambda: servers.run_wasmoor(tool, self._folder, fast_path=False),
            PLAIN: lambda: servers.run_plain(tool),
        }
        peer = self._plan.peer
        if peer is not None:
            starters[PEER] = lambda: servers.run_peer(peer, tool, self._folder)
        return starters

    def _measure_starts(self, label: str, tool: Tool) -> None:
        """Time from the start of a process to its first answer: with nothing cached, then with everything."""
        for _ in range(self._plan.cold_rounds):
            with tempfile.TemporaryDirectory() as empty, servers.run_wasmoor(tool, Path(empty)) as server:
                self.table.add(f"{label}: cold start to first answer", "s", OURS, server.seconds)
        with servers.run_wasmoor(tool, self._folder):
            pass
        for _ in range(self._plan.rounds):
            for column, start in self._starters(tool).items():
                with start() as server:
                    self.table.add(f"{label}: cached start to first answer", "s", column, server.seconds)
                    self.table.add(
                        f"{label}: memory after one call", "MiB", column, processes.observe_pss_mib(server.pid)
                    )

    def _measure_calls(self, label: str, tool: Tool) -> None:
        with contextlib.ExitStack() as stack:
            running = {column: stack.enter_context(start()) for column, start in self._starters(tool).items()}
            for server in running.values():
                self._load.run(server.port, _BUSY, self._plan.seconds, server.request)
            for number in range(self._plan.rounds):
                order = list(running.items())
                for column, server in order if number % 2 == 0 else reversed(order):
                    self._measure_round(label, column, server)
                self.table.add(f"{label}: one call", "us", DIRECT, self._call_directly(tool))
            calls = self._plan.memory_calls // (1 if label == "small" else _LARGE_IS_SLOWER)
            for column, server in running.items():
                self._fill(server, calls)
                name = f"{label}: memory after {calls} calls"
                self.table.add(name, "MiB", column, processes.observe_pss_mib(server.pid))

    def _measure_round(self, label: str, column: str, server: Server) -> None:
        reports: dict[int, Report] = {}
        for connections in CONNECTIONS:
            before = processes.observe_cpu_seconds(server.pid)
            report = reports[connections] = self._load.run(server.port, connections, self._plan.seconds, server.request)
            used = processes.observe_cpu_seconds(server.pid) - before
            if connections == 1:
                self.table.add(f"{label}: one call", "us", column, report.calls.p50)
            if connections == _BUSY and report.calls.good:
                used_per_call = used / report.calls.good * 1e6
        for connections, report in reports.items():
            name = f"{label}: calls at {connections}"
            self.table.add(name, "1/s", column, report.per_second, more_is_better=True)
        for connections, report in reports.items():
            self.table.add(f"{label}: p99 at {connections}", "us", column, report.calls.p99)
        if reports[_BUSY].calls.good:
            self.table.add(f"{label}: CPU per call at {_BUSY}", "us", column, used_per_call)
        self.table.add(f"{label}: calls not answered well", "", column, _count_bad(reports.values()))

    def _call_directly(self, tool: Tool) -> float:
        copy = self._folder / tool.component.name
        if not copy.exists():
            copy.write_bytes(tool.component.read_bytes())
        words = ["-m", "bench.direct", str(copy), tool.name, json.dumps(tool.arguments), str(self._plan.seconds)]
        done = subprocess.run([sys.executable, *words], capture_output=True, check=True, cwd=servers.REPOSITORY)
        return float(done.stdout)

    def _fill(self, server: Server, calls: int) -> None:
        """Make so many calls that whatever leaks shows."""
        left = calls
        while left > 0:
            left -= max(self._load.run(server.port, _BUSY, self._plan.seconds, server.request).calls.good, 1)

    def _measure_deadlines(self) -> None:
        """Hang with every twentieth call: how late after the deadline it is answered, and what others lose."""
        component = self._plan.components / "fixtures" / "sleep.wasm"
        tool = Tool(
            component=component, name="sleep", arguments={"milliseconds": 0},
            limits={"timeoutSeconds": _DEADLINE_SECONDS},
        )  # fmt: skip
        hang = tool.expecting(b"ExecutionTimeout", milliseconds=60_000)
        seconds = max(self._plan.seconds, _DEADLINE_SECONDS / 2)
        with servers.run_wasmoor(tool, self._folder) as server:
            for _ in range(self._plan.rounds):
                report = self._load.run(server.port, _BUSY, seconds, server.request, other=hang, every=_HANG_EVERY)
                late = report.others.p50 - _DEADLINE_SECONDS * 1e6
                latest = report.others.max - _DEADLINE_SECONDS * 1e6
                self.table.add("deadline to error reply, p50", "ms", OURS, late / 1000)
                self.table.add("deadline to error reply, max", "ms", OURS, latest / 1000)
                lost = report.calls.bad + report.others.bad + report.unanswered
                self.table.add("calls lost while 5 % hang", "", OURS, lost)
                self.table.add("calls answered while 5 % hang", "", OURS, report.calls.good)


def _count_bad(reports: Any) -> float:
    return float(sum(report.calls.bad + report.unanswered for report in reports))


def parse_plan(words: list[str]) -> Plan:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=0.5, help="of load at each point")
    parser.add_argument("--quick", action="store_true", help="one tiny round of everything")
    parser.add_argument("--peer", type=Path, help="a Wassette binary, measured in the same rounds")
    parser.add_argument("--components", type=Path, default=servers.REPOSITORY / ".wasmoor" / "components")
    given = parser.parse_args(words)
    quick = Plan(rounds=1, seconds=0.1, memory_calls=100, cold_rounds=1, components=given.components, peer=given.peer)
    if given.quick:
        return quick
    cold = max(given.rounds // 4, 1)
    return dataclasses.replace(
        quick, rounds=given.rounds, seconds=given.seconds, memory_calls=_CALLS_FOR_MEMORY, cold_rounds=cold
    )


def main(words: list[str]) -> int:
    """Measure, print, and return 0."""
    plan = parse_plan(words)
    with tempfile.TemporaryDirectory(prefix="wasmoor-bench-") as folder:
        bench = Bench(plan, Path(folder))
        bench.run()
    print(bench.table.render())  # noqa: T201 - the command line
    print()  # noqa: T201
    print(f"Medians of {plan.rounds} rounds; (n x): how many times better wasmoor is, in the same rounds.")  # noqa: T201
    if plan.peer is None:
        print("The peer was not run: give a Wassette binary with PEER=path.")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
