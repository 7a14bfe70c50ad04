"""The pod: reads its contract, builds the real parts, serves one component.

    python -m wasmoor_runtime --contract FILE --cache DIR [--cache-size BYTES] [--port 8080] [--admin-port 9090]

The composition root of a pod. This process never imports wasmtime: what runs guests are processes of their own. Errors
that a person can cause are one line on stderr and exit code 2.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop
from pydantic import ValidationError

from wasmoor_runtime import parts, serving
from wasmoor_runtime.contract.document import Contract
from wasmoor_runtime.contract.status import ComponentStatus
from wasmoor_runtime.errors import RuntimeFault, Stalled
from wasmoor_runtime.host.component import ComponentHost, Parts
from wasmoor_runtime.settings import DEFAULT_ADMIN_PORT, DEFAULT_PORT, Addresses, Drain
from wasmoor_runtime.sources.advisories import MountedAdvisories
from wasmoor_runtime.telemetry import logs
from wasmoor_runtime.telemetry.observers import Observers, Wishes

USER_ERROR = 2
_MAX_CONTRACT_BYTES = 1 << 20  # what a ConfigMap holds


def parse_contract(text: str, where: str) -> Contract:
    """Return the contract; `Stalled` says in one line what is wrong with it, and where."""
    try:
        return Contract.model_validate(json.loads(text))
    except json.JSONDecodeError as error:
        raise Stalled("ContractInvalid", f"{where}: no JSON: {error.msg} in line {error.lineno}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the document"
        raise Stalled("ContractInvalid", f"{where}: {field}: {first['msg']}") from error


def read_contract(path: Path) -> Contract:
    """Read and parse the contract's file."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_CONTRACT_BYTES + 1)
        text = data.decode()
    except OSError as error:
        raise Stalled("ContractInvalid", f"{path}: {(error.strerror or str(error)).lower()}") from error
    except UnicodeDecodeError as error:
        raise Stalled("ContractInvalid", f"{path}: not UTF-8 text") from error
    if len(data) > _MAX_CONTRACT_BYTES:
        raise Stalled("ContractInvalid", f"{path}: larger than {_MAX_CONTRACT_BYTES} bytes")
    return parse_contract(text, str(path))


def build_serving(
    contract: Contract, built: Parts, wishes: Wishes, drain_delay: float, *, fast_path: bool
) -> tuple[serving.Serving, Observers]:
    """Put one host, its telemetry and its endpoint together; the observers are to be closed in the end."""
    hosts: list[ComponentHost] = []

    def statuses() -> list[ComponentStatus]:
        return [host.status() for host in hosts]

    async def discover() -> Contract:
        return contract

    observers = Observers(statuses, wishes, os.environ, version=serving.read_version())
    hosts.append(ComponentHost(contract.component, discover, built, listeners=observers.listeners))
    server = serving.Serving(
        [serving.Site(host=hosts[0], path="/mcp")],
        observers.metrics,
        # In a cluster clients name the Service, an IP address or an ingress: no list of Hosts could be complete.
        check_host=False,
        drain=Drain(delay_seconds=drain_delay, stop_seconds=contract.timing.stop_timeout_seconds),
        fast_path=fast_path,
    )
    return server, observers


def parse_arguments(words: Sequence[str]) -> argparse.Namespace:
    """Return the command line's options; argparse exits with 2 and a usage line on a bad one."""
    parser = argparse.ArgumentParser(prog="python -m wasmoor_runtime", description="Serve one component.")
    parser.add_argument("--contract", type=Path, required=True, help="the contract, a JSON file")
    parser.add_argument("--cache", type=Path, required=True, help="directory for components and compiled code")
    parser.add_argument("--advisories", type=Path, metavar="DIR", help="directory of known vulnerabilities (OSV)")
    parser.add_argument("--cache-size", type=int, metavar="BYTES",
                        help="bound of that directory; what was used longest ago goes first")  # fmt: skip
    parser.add_argument("--host", default="0.0.0.0", help="address to listen on")  # noqa: S104 - a pod's own network
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="MCP, at /mcp")
    parser.add_argument("--admin-port", type=int, default=DEFAULT_ADMIN_PORT, help="health, status and metrics")
    parser.add_argument("--drain-delay", type=float, default=Drain().delay_seconds, metavar="SECONDS",
                        help="how long calls are still taken after SIGTERM")  # fmt: skip
    parser.add_argument("--fast-path", action=argparse.BooleanOptionalAction, default=True,
                        help="answer usual calls without the MCP SDK, sooner and alike")  # fmt: skip
    parser.add_argument("--log-format", choices=("json", "text", "auto"), default="auto")
    parser.add_argument("--log-level", choices=tuple(logs.LEVELS), default="INFO")
    parser.add_argument("--events-sink", default="", metavar="URL", help="where lifecycle events go, as CloudEvents")
    parser.add_argument("--log-arguments", action="store_true",
                        help="log and send arguments and results, without what looks secret")  # fmt: skip
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Serve until a signal; returns the exit code."""
    options = parse_arguments(sys.argv[1:] if words is None else words)
    wishes = Wishes(events_sink=options.events_sink, log_arguments=options.log_arguments)
    try:
        levels = logs.parse_levels(os.environ.get(logs.LEVELS_VARIABLE, ""))
        wishes.check()
        logs.set_up(options.log_format, level=options.log_level, levels=levels)
        contract = read_contract(options.contract)
        options.cache.mkdir(parents=True, exist_ok=True)
        addresses = Addresses(
            host=options.host, port=options.port, admin_host=options.host, admin_port=options.admin_port
        )
        sockets = serving.bind(addresses)
    except (RuntimeFault, ValueError) as fault:
        print(f"error: {getattr(fault, 'message', fault)}", file=sys.stderr)  # noqa: T201 - the command line
        return USER_ERROR
    except OSError as error:
        print(f"error: {options.cache}: {(error.strerror or str(error)).lower()}", file=sys.stderr)  # noqa: T201
        return USER_ERROR

    advisories = MountedAdvisories(options.advisories) if options.advisories else None
    built = parts.build(options.cache, cache_bytes=options.cache_size, advisories=advisories)

    async def serve() -> None:
        server, observers = build_serving(contract, built, wishes, options.drain_delay, fast_path=options.fast_path)
        try:
            await server.run(*sockets)
        finally:
            await observers.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
    return 0


if __name__ == "__main__":
    sys.exit(main())
