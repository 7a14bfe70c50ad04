"""Who a component's MCP server says it is. Pure; the SDK's server and the fast path say the same."""

from __future__ import annotations

from dataclasses import dataclass

from wasmoor_runtime.host.component import ComponentHost


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """MCP's `Implementation` object, as far as it is used here."""

    name: str
    title: str
    version: str


def describe_server(host: ComponentHost, version: str) -> Identity:
    """Return what is told of the server of this component."""
    return Identity(name=host.ref.name, title=f"{host.id} on Wasmoor", version=version)
