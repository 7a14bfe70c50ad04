"""The streams on which clients of revision 2026-07-28 wait for a word that the tools have changed.

A client opens one with `subscriptions/listen`; what passes on it, and that only what was asked for does, is the SDK's
work. This adds an end: an endpoint that closes, because it stops or because another takes its place, ends its streams
with their results, so that clients come back at once rather than find a broken connection.
Source: https://modelcontextprotocol.io/specification/2026-07-28/basic/utilities/subscriptions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Loaded when the first client listens: the fast path serves without the SDK.
    import mcp_types as types
    from mcp.server.context import ServerRequestContext
    from mcp.server.subscriptions import ListenHandler, ServerEvent

# One stream is a connection that is held; more clients than these are refused.
MOST_STREAMS = 1024
# A client that takes nothing any more is given up after so many words; there is only one word to miss.
_LARGEST_BACKLOG = 16


class _Bus:
    """The SDK's `SubscriptionBus`, which can also be told something by code that does not wait."""

    def __init__(self) -> None:
        self._hearers: dict[object, Callable[[ServerEvent], None]] = {}

    def tell(self, event: ServerEvent) -> None:
        """Hand an event to all streams; they take it without waiting."""
        for hear in list(self._hearers.values()):
            hear(event)

    async def publish(self, event: ServerEvent) -> None:
        """Do the same for the SDK."""
        self.tell(event)

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """Add a stream; returns what takes it away."""
        key = object()
        self._hearers[key] = listener

        def unsubscribe() -> None:
            self._hearers.pop(key, None)

        return unsubscribe


class Listening:
    """The listen streams of one endpoint. All methods run on the event loop's thread."""

    def __init__(self) -> None:
        self._bus = _Bus()
        self._streams: ListenHandler | None = None
        self._closed = False

    async def listen(
        self, context: ServerRequestContext[dict[str, Any]], params: types.SubscriptionsListenRequestParams
    ) -> types.SubscriptionsListenResult:
        """Answer `subscriptions/listen`: one call is one stream."""
        import mcp_types as types
        from mcp.server.subscriptions import ListenHandler
        from mcp.shared.exceptions import MCPError

        if self._closed:
            raise MCPError(code=types.INTERNAL_ERROR, message="the server is stopping: listen again, to another one")
        if self._streams is None:
            self._streams = ListenHandler(
                self._bus, max_subscriptions=MOST_STREAMS, max_buffered_events=_LARGEST_BACKLOG
            )
        return await self._streams(context, params)

    def announce_tools(self) -> None:
        """Tell every stream that asked for it that `tools/list` answers something else now."""
        if self._streams is None:
            return
        from mcp.server.subscriptions import ToolsListChanged

        self._bus.tell(ToolsListChanged())

    def close(self) -> None:
        """End all streams with their results, and open no more."""
        self._closed = True
        if self._streams is not None:
            self._streams.close()
