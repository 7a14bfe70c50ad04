"""All children of a component, in the order they are applied. Pure; called by `decide`."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from wasmoor_operator.api import group
from wasmoor_operator.render import names, pod
from wasmoor_operator.render.names import Owner
from wasmoor_operator.settings import RenderSettings
from wasmoor_runtime.contract.document import Contract

# A rollout that has made no progress for this many seconds is one that somebody must look at.
PROGRESS_DEADLINE = 600


def render_children(
    owner: Owner, contract: Contract, settings: RenderSettings
) -> tuple[tuple[dict[str, Any], ...], ...]:
    """Return the children in stages: first what pods need to start, then the pods and the way to them."""
    stages = (
        (_render_service_account(owner), _render_contract(owner, contract)),
        (_render_deployment(owner, contract, settings), _render_service(owner)),
    )
    return tuple(tuple(_stamp(manifest) for manifest in stage) for stage in stages)


def _stamp(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the manifest with the hash of itself, by which an unchanged wish is recognised."""
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    meta = manifest["metadata"]
    annotations = {
        **meta.get("annotations", {}),
        group.DESIRED_ANNOTATION: hashlib.sha256(text.encode()).hexdigest()[:16],
    }
    return {**manifest, "metadata": {**meta, "annotations": annotations}}


def _render_service_account(owner: Owner) -> dict[str, Any]:
    """Return an account that can do nothing; pods run under it and do not even hold its token."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": names.metadata(owner, names.service_account_name(owner.name)),
        "automountServiceAccountToken": False,
    }


def _render_contract(owner: Owner, contract: Contract) -> dict[str, Any]:
    """Return the ConfigMap; it never changes, a changed contract is another one, so old pods keep theirs."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": names.metadata(owner, names.contract_name(owner.name, contract.hash())),
        "immutable": True,
        "data": {names.CONTRACT_KEY: contract.to_json()},
    }


def _render_deployment(owner: Owner, contract: Contract, settings: RenderSettings) -> dict[str, Any]:
    """Return the Deployment. A pod goes only when its successor is ready, so a bad version displaces nothing."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": names.metadata(owner, owner.name),
        "spec": {
            **_render_replicas(owner),
            # Rolling back is a change of the component's spec; old ReplicaSets would name contracts that are gone.
            "revisionHistoryLimit": 0,
            "progressDeadlineSeconds": PROGRESS_DEADLINE,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "selector": {"matchLabels": names.selector(owner.name)},
            "template": pod.render_template(owner, contract, settings),
        },
    }


def _render_replicas(owner: Owner) -> dict[str, int]:
    """Return the number of pods, or nothing where an autoscaler may decide."""
    if owner.spec.suspend:
        return {"replicas": 0}
    return {} if owner.spec.replicas is None else {"replicas": owner.spec.replicas}


def _render_service(owner: Owner) -> dict[str, Any]:
    """Return the Service in front of the pods."""
    meta = names.metadata(owner, owner.name)
    if owner.spec.service.annotations:
        meta["annotations"] = dict(owner.spec.service.annotations)
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta,
        "spec": {
            "selector": names.selector(owner.name),
            "ports": [
                {
                    "name": "mcp",
                    "port": owner.spec.service.port,
                    "targetPort": "mcp",
                    "protocol": "TCP",
                    "appProtocol": "http",
                }
            ],
        },
    }
