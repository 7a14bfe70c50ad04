"""From objects as the API server sends them to the values of `model`. Called by `observe`; bad specs never raise."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from wasmoor_operator.api.component import WasmComponentSpec
from wasmoor_operator.api.group import CONTRACT_LABEL
from wasmoor_operator.api.policy import ComponentPolicySpec
from wasmoor_operator.decide.model import Component, LastExit, Manifest, Pod, Policy

# Kubelet's waiting reasons that are part of every normal start.
_NORMAL_WAITING = frozenset({"ContainerCreating", "PodInitializing"})


def parse_component(raw: Manifest) -> Component:
    """Return the component; a spec that cannot be understood becomes `problem`."""
    meta = raw["metadata"]
    spec: WasmComponentSpec | None = None
    problem = ""
    try:
        spec = WasmComponentSpec.model_validate(raw.get("spec", {}))
    except ValidationError as error:
        problem = describe(error)
    return Component(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        generation=meta.get("generation", 1),
        deleting="deletionTimestamp" in meta,
        spec=spec,
        problem=problem,
        status=raw.get("status") or {},
    )


def parse_policy(raw: Manifest) -> Policy:
    """Return the policy; a spec that cannot be understood becomes `problem`."""
    meta = raw["metadata"]
    spec: ComponentPolicySpec | None = None
    problem = ""
    try:
        spec = ComponentPolicySpec.model_validate(raw.get("spec", {}))
    except ValidationError as error:
        problem = describe(error)
    return Policy(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        generation=meta.get("generation", 1),
        spec=spec,
        problem=problem,
        status=raw.get("status") or {},
    )


def parse_pod(raw: Manifest) -> Pod:
    """Return what matters of a pod: the runtime's container, whatever others `podTemplate` added."""
    meta, status = raw["metadata"], raw.get("status", {})
    conditions = {item["type"]: item for item in status.get("conditions") or ()}
    container: Manifest = next((c for c in status.get("containerStatuses") or () if c["name"] == "runtime"), {})
    return Pod(
        name=meta["name"],
        ip=status.get("podIP", ""),
        contract=(meta.get("labels") or {}).get(CONTRACT_LABEL, ""),
        ready=conditions.get("Ready", {}).get("status") == "True",
        deleting="deletionTimestamp" in meta,
        restarts=container.get("restartCount", 0),
        last_exit=_last_exit(container),
        trouble=_trouble(status, conditions, container),
    )


def describe(error: ValidationError) -> str:
    """Return what is wrong in one line, field by field, without repeating the values."""
    found = error.errors(include_input=False, include_url=False)
    parts = [f"spec.{'.'.join(str(step) for step in item['loc'])}: {item['msg']}" for item in found[:4]]
    if len(found) > len(parts):
        parts.append(f"and {len(found) - len(parts)} more")
    return "; ".join(parts)


def _last_exit(container: Manifest) -> LastExit | None:
    """Return how the container ended: now, if it is down, or before its last start."""
    for field in ("state", "lastState"):
        ended: dict[str, Any] | None = (container.get(field) or {}).get("terminated")
        if ended:
            return LastExit(
                reason=ended.get("reason", ""),
                exit_code=ended.get("exitCode", 0),
                message=ended.get("message", ""),
                finished_at=ended.get("finishedAt") or "",
            )
    return None


def _trouble(status: Manifest, conditions: Manifest, container: Manifest) -> str:
    """Return why Kubernetes cannot start the pod, or an empty string."""
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False":
        return f"it cannot be scheduled: {scheduled.get('message') or scheduled.get('reason', '')}"
    waiting = (container.get("state") or {}).get("waiting") or {}
    if waiting and waiting.get("reason", "") not in _NORMAL_WAITING:
        return f"{waiting.get('reason', '')}: {waiting.get('message', '')}".rstrip(": ")
    if status.get("phase") == "Failed":
        return f"{status.get('reason', 'Failed')}: {status.get('message', '')}".rstrip(": ")
    return ""
