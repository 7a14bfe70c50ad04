"""The status of a WasmComponent, from what was found. Pure.

What cannot be asked at the moment keeps its last good value; an empty field is left out, never written as null.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wasmoor_operator.api import group
from wasmoor_operator.api.status import MAX_DESCRIPTION, MAX_TOOLS
from wasmoor_operator.conditions import Condition, Type, merge_conditions
from wasmoor_operator.decide import loading
from wasmoor_operator.decide.model import Manifest, Observed, Registration
from wasmoor_operator.decide.phases import find_phase
from wasmoor_operator.decide.readiness import Findings
from wasmoor_operator.decide.rollout import Rollout


def build_status(found: Findings, conditions: tuple[Condition, ...]) -> dict[str, Any]:
    """Return the whole status."""
    observed, rollout = found.observed, found.rollout
    component = observed.component
    counts = rollout.deployment.get("status", {}) if rollout.deployment else {}
    ready = counts.get("readyReplicas", 0)
    status = {
        "observedGeneration": component.generation,
        "phase": find_phase({condition.type: condition for condition in conditions}).value,
        "artifact": _artifact(found),
        **_tools(observed, rollout),
        "policy": _policy(found),
        "endpoint": rollout.endpoint,
        "replicas": counts.get("replicas", 0),
        "readyReplicas": ready,
        "pods": f"{ready}/{rollout.wanted}",
        "selector": f"{group.COMPONENT_LABEL}={component.name}",
        "restarts": _restarts(rollout),
        "conditions": merge_conditions(
            conditions, component.status.get("conditions") or (), component.generation, observed.now
        ),
    }
    return {key: value for key, value in status.items() if value not in ("", None, {}, [])}


def condition_order(conditions: Mapping[Type, Condition]) -> tuple[Condition, ...]:
    """Return the conditions in the order of the lifecycle."""
    return tuple(conditions[kind] for kind in Type if kind in conditions)


def _artifact(found: Findings) -> Manifest | None:
    """Return the version that is served or about to be; without a new one, the one that was."""
    stored: Manifest | None = found.observed.component.status.get("artifact")
    known = found.admission.known
    if known is None:
        return stored
    artifact: dict[str, Any] = {
        "reference": known.reference,
        "digest": known.digest,
        "resolvedAt": known.resolved_at,
    }
    return {**artifact, **_pulled(found.observed, known.digest, stored)}


def _pulled(observed: Observed, digest: str, stored: Manifest | None) -> dict[str, Any]:
    """Return what only the pods that pulled it know."""
    for pod in observed.pods:
        report = loading.find_report(observed, pod)
        if report is not None and report.artifact is not None and report.artifact.digest == digest:
            pulled = report.artifact
            return {"layerDigest": pulled.layer_digest, "size": pulled.size, "mediaType": pulled.media_type}
    if stored is None or stored["digest"] != digest:
        return {}
    return {key: stored[key] for key in ("layerDigest", "size", "mediaType") if key in stored}


def _tools(observed: Observed, rollout: Rollout) -> dict[str, Any]:
    """Return the tools as last listed; the first 64 of them, and how many there are."""
    found = observed.registrations.get(rollout.hash)
    if found is None or found.problem:
        stored = observed.component.status
        return {key: stored[key] for key in ("tools", "toolCount", "toolsHash") if key in stored}
    return {"tools": _first_tools(found), "toolCount": len(found.tools), "toolsHash": found.tools_hash}


def _first_tools(found: Registration) -> list[dict[str, str]]:
    """Return as many tools as a status holds, their descriptions cut."""
    return [
        {"name": tool.name, **({"description": _cut(tool.description)} if tool.description else {})}
        for tool in found.tools[:MAX_TOOLS]
    ]


def _cut(text: str) -> str:
    """Return the text, cut at the bound."""
    return text if len(text) <= MAX_DESCRIPTION else f"{text[: MAX_DESCRIPTION - 1]}…"


def _policy(found: Findings) -> Manifest | None:
    """Return the policy in force: that of the contract that pods serve."""
    if found.rollout.contract is None:
        return None
    applied = found.rollout.contract.policy
    policy = {"name": applied.name, "source": applied.source, "hash": applied.hash}
    return {key: value for key, value in policy.items() if value}


def _restarts(rollout: Rollout) -> dict[str, Any]:
    """Return how often containers were started again, and why the last time."""
    restarted = [pod for pod in rollout.pods if pod.restarts and pod.last_exit is not None]
    result: dict[str, Any] = {"count": sum(pod.restarts for pod in rollout.pods)}
    if restarted:
        latest = max(restarted, key=lambda pod: (pod.last_exit.finished_at if pod.last_exit else "", pod.name))
        reason, message = loading.describe_exit(latest)
        result |= {"lastReason": reason.value, "lastMessage": message}
        if latest.last_exit is not None and latest.last_exit.finished_at:
            result["lastTime"] = latest.last_exit.finished_at
    return result
