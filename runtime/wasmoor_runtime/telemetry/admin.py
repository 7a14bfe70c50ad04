"""The admin pages on a port of their own: `/healthz`, `/readyz`, `/status`, `/metrics`.

Threat: whoever reaches this port reads names of components, tools and counters; nothing here holds a secret or changes
anything, and the pod's NetworkPolicy decides who reaches it. An ASGI application; `serving` runs it.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from wasmoor_runtime.contract.status import PodStatus
from wasmoor_runtime.telemetry import metrics

# Returns "" when tools can be called, else one line that says why not.
WhyNotReady = Callable[[], str]


def build_app(status: Callable[[], PodStatus], why_not_ready: WhyNotReady, render: Callable[[], bytes]) -> Starlette:
    """Return the application that answers with what these functions say."""

    async def healthz(_: Request) -> Response:
        # It runs on the loop that serves calls: if that loop is stuck, nobody answers, and the probe's timeout tells.
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        why = why_not_ready()
        return PlainTextResponse(f"{why or 'ok'}\n", status_code=503 if why else 200)

    async def show_status(_: Request) -> Response:
        return Response(status().model_dump_json(by_alias=True), media_type="application/json")

    async def show_metrics(_: Request) -> Response:
        return Response(render(), headers={"content-type": metrics.CONTENT_TYPE})

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/status", show_status),
            Route("/metrics", show_metrics),
        ]
    )
