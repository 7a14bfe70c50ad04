"""Components that come from elsewhere than a registry."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.e2e.harness import API_VERSION, FIXTURES, Tenant, wait_until

pytestmark = pytest.mark.e2e


def put_config_map(tenant: Tenant, fixture: str) -> None:
    """Put a fixture into the ConfigMap `wasm`."""
    content = base64.b64encode((FIXTURES / f"{fixture}.wasm").read_bytes()).decode()
    metadata = {"name": "wasm", "namespace": tenant.namespace}
    manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "binaryData": {"component.wasm": content},
    }
    tenant.kubectl.apply(manifest)


def list_tools(tenant: Tenant) -> set[str]:
    """Return the names of the tools in the component's status."""
    tools: list[dict[str, Any]] = tenant.read("embedded").get("status", {}).get("tools") or []
    return {tool["name"] for tool in tools}


def test_a_component_in_a_config_map_is_served_and_a_changed_one_rolls_over(tenant: Tenant) -> None:
    put_config_map(tenant, "spin")
    metadata = {"name": "embedded", "namespace": tenant.namespace}
    source = {"configMap": {"name": "wasm", "key": "component.wasm"}}
    manifest = {"apiVersion": API_VERSION, "kind": "WasmComponent", "metadata": metadata, "spec": {"source": source}}
    tenant.kubectl.apply(manifest)
    tenant.wait_ready("embedded")
    wait_until(lambda: list_tools(tenant) == {"ping", "spin"}, "the tools of the first component")
    tenant.wait_answers_ping("embedded")

    put_config_map(tenant, "trap")

    wait_until(lambda: list_tools(tenant) == {"ping", "trap"}, "the tools of the second component")
    tenant.wait_answers_ping("embedded")
    assert tenant.read("embedded")["status"]["artifact"]["digest"].startswith("sha256:")
