"""Table of contents: which kinds kopf watches, and where a change goes.

kopf does nothing here but watch: no finalizers, no annotations, no posted events, no handler progress; its settings in
`configure` see to that. A handler takes the object in and enqueues its key.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import kopf

from wasmoor_operator import controller, settings
from wasmoor_operator.api import group

KINDS = {group.COMPONENT_KIND: group.COMPONENT_PLURAL, group.POLICY_KIND: group.POLICY_PLURAL}
Login = Callable[[], Awaitable[kopf.ConnectionInfo]]


def register(registry: kopf.OperatorRegistry, loop: controller.Controller, login: Login) -> None:
    """Register everything that kopf is to call."""

    def on_event(kind: str) -> Callable[..., Awaitable[None]]:
        async def notice(body: kopf.Body, type: str | None, **_: Any) -> None:  # noqa: A002 - kopf passes it by this name
            loop.notice(kind, dict(body), deleted=type == "DELETED")

        return notice

    async def log_in(**_: Any) -> kopf.ConnectionInfo:
        return await login()

    for kind, plural in KINDS.items():
        kopf.on.event(group.GROUP, group.VERSION, plural, registry=registry, id=kind)(on_event(kind))
    kopf.on.login(registry=registry, id="connection", backoff=5)(log_in)


def configure(values: settings.Settings) -> kopf.OperatorSettings:
    """Return kopf's settings, so that it writes nothing and needs no rights beyond ours."""
    result = kopf.OperatorSettings()
    result.peering.standalone = True  # a Lease elects the leader
    result.posting.enabled = False  # our own recorder has its own rules
    result.scanning.disabled = True  # no rights on definitions and namespaces
    result.watching.server_timeout = values.watch.server_timeout
    result.watching.client_timeout = values.watch.server_timeout + 30
    result.watching.connect_timeout = values.api_server.connect_timeout
    result.watching.reconnect_backoff = 1.0
    result.watching.chunk_size = values.watch.page
    result.networking.request_timeout = values.api_server.request_timeout
    result.networking.connect_timeout = values.api_server.connect_timeout
    result.networking.error_backoffs = [1, 1, 2, 3, 5, 8]
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)
    return result
