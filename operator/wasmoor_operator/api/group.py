"""The names of the API: group, version, kinds, labels and annotations. Constants only."""

from __future__ import annotations

GROUP = "wasmoor.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

COMPONENT_KIND = "WasmComponent"
COMPONENT_PLURAL = "wasmcomponents"
POLICY_KIND = "ComponentPolicy"
POLICY_PLURAL = "componentpolicies"

# Labels. Values are names of objects (shortened to 63 characters where needed) and contract hashes.
COMPONENT_LABEL = f"{GROUP}/component"
CONTRACT_LABEL = f"{GROUP}/contract"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
MANAGED_BY = "wasmoor"

# Annotation on children: the hash of what the operator last applied.
DESIRED_ANNOTATION = f"{GROUP}/desired"
