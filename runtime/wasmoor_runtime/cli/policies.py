"""`wasmoor policy check`: what manifests say, checked as the API server would, and which policy each component gets.

Nothing is fetched and nobody is asked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from wasmoor_runtime.cli import assembly, exits, manifests, options, output, schemas
from wasmoor_runtime.errors import Stalled
from wasmoor_runtime.policy import limits
from wasmoor_runtime.sources import pinning
from wasmoor_runtime.sources.cache import Cache

app = typer.Typer(help="Work with policies.", no_args_is_help=True)


@app.callback()
def policy() -> None:
    """Work with policies."""


@app.command()
def check(
    file: Annotated[Path, typer.Option("--file", "-f", help="A manifest, or a directory of them.")],
    chosen: output.Chosen = output.Format.TABLE,
) -> None:
    """Check manifests and say which policy applies to each component, and what a call may use."""
    reading = manifests.read_manifests(file)
    plans = assembly.decide_plans(
        reading, schemas.load_schemas(), Cache(options.choose_cache(None)), pinning.Settings()
    ).plans
    found = [describe(plan) for plan in plans]
    rows = [[each[name] for name in ("component", "policy", "source", *_SHOWN, "problem")] for each in found]
    headings = ("COMPONENT", "POLICY", "SOURCE", *(heading for heading in _SHOWN.values()), "PROBLEM")
    output.show(found, chosen, output.render_rows(headings, rows))
    raise typer.Exit(max((each["code"] for each in found), default=exits.Exit.OK))


_SHOWN = {"memoryBytes": "MEMORY", "timeoutSeconds": "TIMEOUT", "concurrency": "CALLS", "fuel": "FUEL"}


def describe(plan: assembly.Plan) -> dict[str, Any]:
    """Return which policy a component gets and what one call may then use, or why it gets none."""
    found: dict[str, Any] = {"component": plan.id, "policy": None, "source": None, **dict.fromkeys(_SHOWN)}
    try:
        selected = plan.select_policy()
        allowed = limits.call_limits(selected.limits, plan.execution)
    except Stalled as fault:
        return {**found, "problem": f"{fault.reason}: {fault.message}", "code": int(exits.decide_exit(fault.reason))}
    values = allowed.model_dump(mode="json", by_alias=True)
    return {
        **found,
        "policy": selected.applied.name or "(built-in)",
        "source": selected.applied.source,
        **values,
        "problem": "",
        "code": int(exits.Exit.OK),
    }
