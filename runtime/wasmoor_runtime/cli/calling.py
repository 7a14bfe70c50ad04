"""`wasmoor component call`: one call of a component that is loaded for it, by the host and the pool of a pod."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wasmoor_runtime.cli import arguments, loading
from wasmoor_runtime.cli.assembly import Loadable
from wasmoor_runtime.cli.problems import UserError
from wasmoor_runtime.host.component import ComponentHost
from wasmoor_runtime.host.tools import ServedTool, list_names
from wasmoor_runtime.mcp import arguments as checks
from wasmoor_runtime.ports import Outcome, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """How a call ended, as values to show."""

    verdict: str
    answer: Any
    """What the tool answered; none when it answered with an error."""
    error: str
    """What to tell a person; empty when the call went well."""
    usage: Mapping[str, Any]


async def call_component(
    plan: Loadable, tool: str, given: Mapping[str, Any], parameters: Iterable[str], cache: Path
) -> Called:
    """Load, call and end; `UserError` for a tool or arguments that are not there, faults for what cannot be loaded."""
    async with loading.open_component(plan, cache) as host:
        found = find_tool(host, tool)
        values = {**given, **arguments.parse_parameters(parameters, found.input_schema)}
        why = checks.Arguments(found.input_schema).explain(values)
        if why:
            raise UserError(f"{tool}: {why}")
        try:
            payload = checks.render_arguments(values)
        except ValueError as error:
            raise UserError(f"{tool}: {error}") from error
        return render_called(await host.call(found, payload))


def find_tool(host: ComponentHost, name: str) -> ServedTool:
    """Return the tool of that name or id."""
    for tool in host.tools:
        if name in {tool.name, tool.function}:
            return tool
    unserved = {each.name: each.reason for each in host.status().unserved}
    if name in unserved:
        raise UserError(f"{name}: is exported and cannot be served: {unserved[name]}")
    raise UserError(f"{name}: {host.id} has no such tool; it has {list_names([tool.name for tool in host.tools])}")


def render_called(outcome: Outcome) -> Called:
    """Return what to show of an outcome."""
    payload = json.loads(outcome.payload) if outcome.payload else None
    fine = outcome.verdict is Verdict.OK
    said = json.dumps(payload, ensure_ascii=False) if payload is not None else outcome.message
    return Called(
        verdict=outcome.verdict.value,
        answer=payload if fine else None,
        error="" if fine else f"{outcome.verdict.value}: {said}",
        usage={"seconds": outcome.seconds, **(asdict(outcome.usage) if outcome.usage else {})},
    )
