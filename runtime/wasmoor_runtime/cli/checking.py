"""What `wasmoor policy check` finds: which policy each component of manifests gets. Nothing is fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wasmoor_runtime.cli import assembly, exits, manifests, schemas
from wasmoor_runtime.errors import Stalled
from wasmoor_runtime.policy import limits
from wasmoor_runtime.sources import pinning
from wasmoor_runtime.sources.cache import Cache


def check(path: Path, cache: Path) -> list[dict[str, Any]]:
    """Return what each component gets; `UserError` has a line for everything that is wrong in any manifest."""
    reading = manifests.read_manifests(path)
    plans = assembly.decide_plans(reading, schemas.load_schemas(), Cache(cache), pinning.Settings()).plans
    return [describe(plan) for plan in plans]


def describe(plan: assembly.Plan) -> dict[str, Any]:
    """Return which policy a component gets and what one call may then use, or why it gets none."""
    found: dict[str, Any] = {"component": plan.id, "policy": None, "source": None, "problem": "", "code": exits.Exit.OK}
    try:
        selected = plan.select_policy()
        allowed = limits.call_limits(selected.limits, plan.execution)
    except Stalled as fault:
        return {**found, "problem": f"{fault.reason}: {fault.message}", "code": int(exits.decide_exit(fault.reason))}
    return {
        **found,
        "policy": selected.applied.name or "(built-in)",
        "source": selected.applied.source,
        "code": int(exits.Exit.OK),
        **allowed.model_dump(mode="json", by_alias=True),
    }
