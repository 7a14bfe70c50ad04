"""A partial PodTemplateSpec laid over a rendered one, by the rules of Kubernetes' strategic merge.

Objects are merged, `null` removes a field, lists replace each other, except those whose items have a key: these are
merged item by item. Patch directives (`$patch`) are not understood; the API server refuses them. Pure.
https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The `patchMergeKey`s of a PodTemplateSpec.
MERGE_KEYS: Mapping[str, str] = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "env": "name",
    "imagePullSecrets": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "ports": "containerPort",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
    "resourceClaims": "name",
}


def merge(base: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `patch` laid over it; neither is changed."""
    result = dict(base)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            below = result.get(key)
            result[key] = merge(below if isinstance(below, Mapping) else {}, value)
        elif isinstance(value, list) and isinstance(result.get(key), list) and key in MERGE_KEYS:
            result[key] = _merge_items(result[key], value, MERGE_KEYS[key])
        else:
            result[key] = value
    return result


def _merge_items(base: list[Any], patch: list[Any], key: str) -> list[Any]:
    """Return the items of both lists, those with the same key merged, in the order of `base` and then of `patch`."""
    if not all(isinstance(item, Mapping) and isinstance(item.get(key), str | int) for item in (*base, *patch)):
        return patch  # malformed: the API server says so when the Deployment is applied
    result = {item[key]: dict(item) for item in base}
    for item in patch:
        result[item[key]] = merge(result.get(item[key], {}), item)
    return list(result.values())
