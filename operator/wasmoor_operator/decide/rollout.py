"""Which version is being rolled out, and how far its pods are: a view of what was observed. Pure.

When the gates stop a new version, the one that runs is the one that goes on: its contract is read back from its
ConfigMap, so that other changes of the spec (replicas, resources, the Service) still take effect.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from wasmoor_operator import errors
from wasmoor_operator.api.group import CONTRACT_LABEL
from wasmoor_operator.decide.gates import Admission
from wasmoor_operator.decide.model import Manifest, Observed, Pod
from wasmoor_operator.reasons import Reason
from wasmoor_operator.render import names
from wasmoor_runtime.contract.document import Contract


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """How far one version is."""

    contract: Contract | None
    """What pods are to serve now; None when nothing ever could."""
    hash: str
    """The contract's hash, or an empty string."""
    blocked: bool
    """True when the gates stop what the spec says, and `contract` is what ran before."""
    deployment: Manifest | None
    endpoint: str
    """The URL of the Service, or an empty string while there is no Service of ours."""
    wanted: int
    """Pods wanted."""
    current: tuple[Pod, ...]
    """Pods of this contract that are not going away."""
    serving: tuple[Pod, ...]
    """Pods of any contract whose tools can be called."""
    pods: tuple[Pod, ...]
    """All pods that are not going away."""

    @property
    def complete(self) -> bool:
        """Return whether every wanted pod is there, ready and of this contract, and no other is."""
        counts = self.deployment.get("status", {}) if self.deployment else {}
        return (
            self.deployment is not None
            and deployed_contract(self.deployment) == self.hash
            and counts.get("observedGeneration", 0) >= self.deployment["metadata"].get("generation", 0)
            and counts.get("updatedReplicas", 0) == counts.get("replicas", 0) == self.wanted
            and counts.get("readyReplicas", 0) >= self.wanted
        )


def view_rollout(observed: Observed, admission: Admission) -> Rollout:
    """Return the view of the version that pods are to serve."""
    deployment = _find_deployment(observed)
    contract = admission.contract or _running_contract(observed, deployment)
    digest = contract.hash() if contract else ""
    staying = tuple(pod for pod in observed.pods if not pod.deleting)
    return Rollout(
        contract=contract,
        hash=digest,
        blocked=admission.contract is None,
        deployment=deployment,
        endpoint=_endpoint(observed),
        wanted=_wanted(observed, deployment),
        current=tuple(pod for pod in staying if digest and pod.contract == digest),
        serving=tuple(pod for pod in staying if pod.ready),
        pods=staying,
    )


def deployed_contract(deployment: Manifest) -> str:
    """Return the hash of the contract that the Deployment's template names."""
    labels = deployment["spec"]["template"]["metadata"].get("labels") or {}
    return str(labels.get(CONTRACT_LABEL, ""))


def rejection(rollout: Rollout) -> errors.Stalled | None:
    """Return why the API server refuses to create pods, if it does."""
    failed = _condition(rollout, "ReplicaFailure")
    if failed.get("status") != "True":
        return None
    message = str(failed.get("message", ""))
    reason = Reason.QUOTA_EXCEEDED if "exceeded quota" in message else Reason.POD_REJECTED
    return errors.Stalled(reason, f"pods cannot be created: {message}")


def is_overdue(rollout: Rollout) -> bool:
    """Return whether the rollout has made no progress for the Deployment's progress deadline."""
    return _condition(rollout, "Progressing").get("reason") == "ProgressDeadlineExceeded"


def is_paused(rollout: Rollout) -> bool:
    """Return whether pods of this version are missing that Kubernetes does not make while the Deployment is paused."""
    deployment = rollout.deployment
    if deployment is None or not deployment["spec"].get("paused"):
        return False
    return int(deployment.get("status", {}).get("updatedReplicas", 0)) < rollout.wanted


def _condition(rollout: Rollout, kind: str) -> Manifest:
    """Return a condition of the Deployment, or an empty mapping."""
    status = rollout.deployment.get("status", {}) if rollout.deployment else {}
    return next((item for item in status.get("conditions") or () if item["type"] == kind), {})


def _find_deployment(observed: Observed) -> Manifest | None:
    """Return the component's Deployment as observed."""
    name = observed.component.name
    found = (c for c in observed.children if c["kind"] == "Deployment" and c["metadata"]["name"] == name)
    return next(found, None)


def _running_contract(observed: Observed, deployment: Manifest | None) -> Contract | None:
    """Return the contract of the version that runs, if its ConfigMap is still there and readable.

    Where somebody deleted the Deployment, that is the newest contract.
    """
    stored = [child for child in observed.children if child["kind"] == "ConfigMap"]
    if deployment is not None:
        wanted = names.contract_name(observed.component.name, deployed_contract(deployment))
        stored = [child for child in stored if child["metadata"]["name"] == wanted]
    newest_first = sorted(stored, key=lambda child: child["metadata"].get("creationTimestamp", ""), reverse=True)
    return next((contract for child in newest_first if (contract := _read_contract(child)) is not None), None)


def _read_contract(child: Manifest) -> Contract | None:
    """Return the contract that a ConfigMap holds, if it can be read."""
    try:
        return Contract.model_validate_json((child.get("data") or {})[names.CONTRACT_KEY])
    except (ValidationError, KeyError):
        return None


def _endpoint(observed: Observed) -> str:
    """Return the URL of the Service, as far as it is there and ours."""
    component = observed.component
    for child in observed.children:
        owners = child["metadata"].get("ownerReferences") or ()
        if child["kind"] == "Service" and any(owner["uid"] == component.uid for owner in owners):
            port = child["spec"]["ports"][0]["port"]
            return f"http://{child['metadata']['name']}.{component.namespace}.svc:{port}/mcp"
    return ""


def _wanted(observed: Observed, deployment: Manifest | None) -> int:
    """Return how many pods are wanted: by the spec, or else by whoever scales the Deployment."""
    spec = observed.component.spec
    if spec is not None and spec.suspend:
        return 0
    if spec is not None and spec.replicas is not None:
        return spec.replicas
    return int(deployment["spec"].get("replicas", 1)) if deployment else 1
