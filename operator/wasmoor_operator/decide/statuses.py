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
from wasmoor_operator.decide.model import Manifest, Observed, Pod, Registration
from wasmoor_operator.decide.phases import find_phase
from wasmoor_operator.decide.readiness import Findings
from wasmoor_operator.decide.resolution import Known
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
        "component": _component(found),
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
        "version": known.version,
        "resolvedAt": known.resolved_at,
        **_pulled(found, known, stored or {}),
    }
    return {key: value for key, value in artifact.items() if value}


def _pulled(found: Findings, known: Known, stored: Manifest) -> dict[str, Any]:
    """Return what only the pods that pulled it know."""
    for pod in found.rollout.pods:
        report = loading.find_report(found.observed, pod)
        pulled = report.artifact if report else None
        if pulled is not None and (pulled.digest == known.digest or (not known.digest and _is_current(found, pod))):
            return {
                "digest": pulled.digest,
                "layerDigest": pulled.layer_digest,
                "size": pulled.size,
                "mediaType": pulled.media_type,
                "policyDigest": pulled.policy_digest,
            }
    kept = ("digest", "layerDigest", "size", "mediaType", "policyDigest")
    return {key: stored[key] for key in kept if key in stored} if _is_same(stored, known) else {}


def _component(found: Findings) -> Manifest | None:
    """Return what the component is, as pods of this version say, or as is stored while none can be asked."""
    before = found.observed.component.status
    stored: Manifest | None = before.get("component")
    known = found.admission.known
    if known is None:
        return stored
    for pod in found.rollout.pods:
        report = loading.find_report(found.observed, pod)
        if report is not None and report.component is not None and _is_current(found, pod):
            said = report.component.model_dump(mode="json", by_alias=True)
            return {key: value for key, value in said.items() if value not in ("", [])}
    return stored if _is_same(before.get("artifact") or {}, known) else None


def _is_same(artifact: Manifest, known: Known) -> bool:
    """Return whether the stored artifact is the version that is known now."""
    if known.digest:
        return bool(artifact.get("digest") == known.digest)
    return bool(artifact.get("version", "") == known.version)


def _is_current(found: Findings, pod: Pod) -> bool:
    """Return whether the pod is of the version that is wanted now."""
    return found.admission.contract is not None and pod.contract == found.admission.contract.hash()


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
