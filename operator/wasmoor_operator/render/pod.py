"""The template of the pods that serve a component.

Threat: a component that breaks out of its sandbox finds itself in this pod. So there is nothing in it to take: no
account token, no root, no writable file but its own cache, no capability, no environment of the cluster. Fits the
`restricted` Pod Security Standard. `spec.podTemplate` may loosen this; whoever may write it may create pods anyway.
"""

from __future__ import annotations

from typing import Any

from wasmoor_operator.api import group
from wasmoor_operator.render import names, overlay
from wasmoor_operator.render.names import Owner
from wasmoor_operator.settings import CacheSettings, RenderSettings
from wasmoor_runtime.contract.document import Contract, PinnedConfigMapSource
from wasmoor_runtime.policy.contracts import CONFIG_MAP_DIRECTORY

UID = 65532
CONTRACT_DIRECTORY = "/etc/wasmoor"
CACHE_DIRECTORY = "/var/cache/wasmoor"
ADVISORIES_DIRECTORY = "/etc/wasmoor-advisories"
# Seconds beyond the contract's own stop timeout: for endpoints to forget the pod, and for the process to end.
STOP_MARGIN = 15
# What an idle pod with a small component takes; compiling a large one takes more, and may have it when it is free.
DEFAULT_REQUESTS = {"cpu": "50m", "memory": "128Mi"}


def render_template(owner: Owner, contract: Contract, settings: RenderSettings) -> dict[str, Any]:
    """Return the PodTemplateSpec, with `spec.podTemplate` laid over it."""
    own_labels = {**names.labels(owner.name), group.CONTRACT_LABEL: contract.hash()}
    template: dict[str, Any] = {
        "metadata": {"labels": own_labels, "annotations": {"kubectl.kubernetes.io/default-container": names.CONTAINER}},
        "spec": _render_pod_spec(owner, contract, settings),
    }
    # Selectors and the operator itself find pods by their labels; an overlay must not take them away.
    return overlay.merge(overlay.merge(template, owner.spec.pod_template), {"metadata": {"labels": own_labels}})


def _render_pod_spec(owner: Owner, contract: Contract, settings: RenderSettings) -> dict[str, Any]:
    """Return the PodSpec."""
    return {
        "serviceAccountName": names.service_account_name(owner.name),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": int(contract.timing.stop_timeout_seconds) + STOP_MARGIN,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": UID,
            "runAsGroup": UID,
            "fsGroup": UID,
            # A cache that is shared holds many files, and all but the first pod find it as it should be.
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": names.selector(owner.name)},
            }
        ],
        "containers": [_render_container(owner, contract, settings)],
        "volumes": [
            {"name": "contract", "configMap": {"name": names.contract_name(owner.name, contract.hash())}},
            {"name": "cache", **_render_cache(settings.cache)},
            {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": settings.tmp_size}},
            *_render_source_volumes(contract),
            *_render_advisories(contract),
        ],
    }


def _render_cache(cache: CacheSettings) -> dict[str, Any]:
    """Return the volume for components and compiled code."""
    if cache.type == "hostPath":
        # `Directory`: one that kubelet made would be root's, and no pod could write to it.
        return {"hostPath": {"path": cache.path, "type": "Directory"}}
    if cache.type == "persistentVolumeClaim":
        return {"persistentVolumeClaim": {"claimName": cache.claim}}
    return {"emptyDir": {"sizeLimit": str(cache.size_bytes)}}


def _bound_cache(cache: CacheSettings) -> int:
    """Return how many bytes pods keep; below an `emptyDir`'s bound, at which kubelet would evict the pod."""
    return cache.size_bytes * 9 // 10 if cache.type == "emptyDir" else cache.size_bytes


def _render_source_volumes(contract: Contract) -> list[dict[str, Any]]:
    """Return the ConfigMap that holds the component, if one does; a missing one is the pod's to explain."""
    if not isinstance(contract.source, PinnedConfigMapSource):
        return []
    return [{"name": "component", "configMap": {"name": contract.source.name, "optional": True}}]


def _render_advisories(contract: Contract) -> list[dict[str, Any]]:
    """Return the volume with the policy's advisories, if it names any; a missing one is the pod's to explain."""
    wanted = contract.artifacts.advisories
    if wanted is None:
        return []
    source = {"name": wanted.name, "items": [{"key": wanted.key, "path": wanted.key}], "optional": True}
    return [{"name": "advisories", "configMap": source}]


def _render_container(owner: Owner, contract: Contract, settings: RenderSettings) -> dict[str, Any]:
    """Return the one container."""
    mounts = [{"name": each["name"], "mountPath": CONFIG_MAP_DIRECTORY} for each in _render_source_volumes(contract)]
    mounts += [{"name": each["name"], "mountPath": ADVISORIES_DIRECTORY} for each in _render_advisories(contract)]
    resources = owner.spec.resources
    return {
        "name": names.CONTAINER,
        "image": settings.runtime_image,
        "imagePullPolicy": settings.image_pull_policy,
        "args": [
            f"--contract={CONTRACT_DIRECTORY}/{names.CONTRACT_KEY}",
            f"--cache={CACHE_DIRECTORY}",
            f"--cache-size={_bound_cache(settings.cache)}",
            *([f"--advisories={ADVISORIES_DIRECTORY}"] if contract.artifacts.advisories else []),
            *([f"--events-sink={settings.events_sink}"] if settings.events_sink else []),
        ],
        "ports": [
            {"name": "mcp", "containerPort": names.MCP_PORT, "protocol": "TCP"},
            {"name": "admin", "containerPort": names.ADMIN_PORT, "protocol": "TCP"},
        ],
        "resources": {
            "requests": _requests(resources.requests, resources.limits),
            **({"limits": dict(resources.limits)} if resources.limits else {}),
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        # A component that cannot be served leaves the process up, to say why on /status: restarting it would not help.
        # So only readiness asks /readyz; the other two ask whether the process itself is alive.
        "startupProbe": _render_probe("/healthz", period=1, failures=60),
        "livenessProbe": _render_probe("/healthz", period=10, failures=3),
        "readinessProbe": _render_probe("/readyz", period=2, failures=2),
        "volumeMounts": [
            {"name": "contract", "mountPath": CONTRACT_DIRECTORY, "readOnly": True},
            {"name": "cache", "mountPath": CACHE_DIRECTORY},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a volume of the pod's own
            *({**mount, "readOnly": True} for mount in mounts),
        ],
    }


def _requests(wanted: dict[str, str], limits: dict[str, str]) -> dict[str, str]:
    """Return the requests; where only a limit is given, Kubernetes makes it the request too, so no default is set."""
    defaults = {name: amount for name, amount in DEFAULT_REQUESTS.items() if name not in limits}
    return {**defaults, **wanted}


def _render_probe(path: str, *, period: int, failures: int) -> dict[str, Any]:
    """Return a probe of the admin port; times are seconds."""
    return {
        "httpGet": {"path": path, "port": "admin"},
        "periodSeconds": period,
        "timeoutSeconds": 3,
        "failureThreshold": failures,
    }
