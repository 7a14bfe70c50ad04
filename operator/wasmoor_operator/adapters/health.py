"""What the process answers about itself: /healthz, /readyz and /metrics.

Healthy: the loop runs (it answers) and no watch has been silent too long; kubelet restarts what is not. Ready: the
process can do its part, leading or standing by. Called by `__main__`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import prometheus_client
from aiohttp import web

from wasmoor_operator import settings

Check = Callable[[], str]
"""Returns what is wrong; an empty string when nothing is."""


class Server:
    """A small HTTP server; `close` it when done."""

    def __init__(
        self, values: settings.HealthSettings, *, healthy: Check, ready: Check, metrics: Callable[[], bytes]
    ) -> None:
        self._values = values
        app = web.Application()
        app.router.add_get("/healthz", _answer(healthy))
        app.router.add_get("/readyz", _answer(ready))

        async def show(_: web.Request) -> web.Response:
            return web.Response(body=metrics(), headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST})

        app.router.add_get("/metrics", show)
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> None:
        """Listen. Raises `OSError` when the port is taken."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._values.host, self._values.port).start()

    async def close(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()


def check_silence(watches: Sequence[tuple[str, float]], limit: float) -> str:
    """Return which watches have been silent for longer than `limit` seconds."""
    dead = [f"{name} for {silence:.0f} s" for name, silence in watches if silence > limit]
    return f"silent watches: {', '.join(dead)}" if dead else ""


def _answer(check: Check) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_: web.Request) -> web.Response:
        problem = check()
        return web.Response(text=problem or "ok", status=503 if problem else 200)

    return answer
