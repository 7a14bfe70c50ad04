"""Names, labels and owner references of children. Pure.

A component's name is a DNS label of at most 63 characters (the CRD says so), because it names a Service and is the
value of a label; so every name here is valid without being cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wasmoor_operator.api import group
from wasmoor_operator.api.component import WasmComponentSpec

CONTAINER = "runtime"
CONTRACT_KEY = "contract.json"
MCP_PORT = 8080
ADMIN_PORT = 9090


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The component that children are made for."""

    namespace: str
    name: str
    uid: str
    spec: WasmComponentSpec


def service_account_name(component: str) -> str:
    """Return the name of the pods' account; prefixed, as people name accounts after their applications."""
    return f"wasmoor-{component}"


def contract_name(component: str, contract_hash: str) -> str:
    """Return the name of the ConfigMap that holds a contract."""
    return f"{component}-contract-{contract_hash}"


def endpoint(owner: Owner) -> str:
    """Return the URL that MCP clients inside the cluster use."""
    return f"http://{owner.name}.{owner.namespace}.svc:{owner.spec.service.port}/mcp"


def selector(component: str) -> dict[str, str]:
    """Return the labels that select a component's pods; they never change."""
    return {group.COMPONENT_LABEL: component}


def labels(component: str) -> dict[str, str]:
    """Return the labels of every child."""
    return {
        "app.kubernetes.io/name": component,
        "app.kubernetes.io/component": "mcp-server",
        group.MANAGED_BY_LABEL: group.MANAGED_BY,
        **selector(component),
    }


def metadata(owner: Owner, name: str) -> dict[str, Any]:
    """Return the metadata of a child: deleted with its component, by Kubernetes' own garbage collection."""
    return {
        "name": name,
        "namespace": owner.namespace,
        "labels": labels(owner.name),
        "ownerReferences": [
            {
                "apiVersion": group.API_VERSION,
                "kind": group.COMPONENT_KIND,
                "name": owner.name,
                "uid": owner.uid,
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }
