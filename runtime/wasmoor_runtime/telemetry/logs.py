"""Structured log lines through the standard library: JSON for machines, `key=value` for people.

Fields are given as `extra={"fields": {...}}`. Set up once, by `__main__` and `cli`; everybody else calls `logging`.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from wasmoor_runtime.contract.status import Phase
from wasmoor_runtime.host import events

Format = Literal["json", "text", "auto"]

_lifecycle = logging.getLogger("wasmoor.lifecycle")


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields = getattr(record, "fields", None)
    return dict(fields) if isinstance(fields, dict) else {}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, then the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; an exception goes into `error` with its newlines escaped."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


class TextFormatter(logging.Formatter):
    """`12:00:00 info message key=value`, for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; an exception follows on lines of its own."""
        clock = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        pairs = "".join(f" {key}={_quote(value)}" for key, value in _fields(record).items())
        # A line is a line, whatever a component, a registry or a client put into the message.
        message = record.getMessage().replace("\r", "\\r").replace("\n", "\\n")
        text = f"{clock} {record.levelname.lower():7} {message}{pairs}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


def _quote(value: object) -> str:
    text = str(value)
    return json.dumps(text) if not text or any(c in text for c in ' "=\n\r\t') else text


def set_up(chosen: Format, *, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send all log lines to `stream` (stderr): as JSON, as text, or (`auto`) as text only if a person looks at it."""
    stream = stream or sys.stderr
    as_json = chosen == "json" or (chosen == "auto" and not stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if as_json else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # The libraries' own chatter about sessions and connections helps nobody; their warnings do.
    for name in ("mcp", "httpx", "httpx2", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # uvicorn warns of every malformed request: a client could fill the log with them.
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.ERROR)


def show_lifecycle(*, shown: bool) -> None:
    """Write the lifecycle's lines or leave them out, while a display says the same."""
    _lifecycle.setLevel(logging.NOTSET if shown else logging.CRITICAL)


class LifecycleLog:
    """Writes a line on `wasmoor.lifecycle` for every move of a component."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[Phase, str]] = {}

    def hear(self, event: events.Event) -> None:
        """Log phases and reasons that are new; calls at debug level."""
        if isinstance(event, events.Moved):
            self._hear_moved(event)
        elif isinstance(event, events.Loaded):
            fields = {"component": event.component, "seconds": round(event.seconds, 3)}
            _lifecycle.info("loaded", extra={"fields": fields})
        elif isinstance(event, events.Called) and _lifecycle.isEnabledFor(logging.DEBUG):
            fields = {"component": event.component, "tool": event.tool, "verdict": event.verdict}
            _lifecycle.debug("called", extra={"fields": fields | {"seconds": round(event.seconds, 6)}})

    def _hear_moved(self, event: events.Moved) -> None:
        known = self._last.get(event.component)
        self._last[event.component] = (event.phase, event.reason)
        # Every wait repeats its reason with each attempt: the first is news, the rest is for debugging.
        level = logging.DEBUG if known == (event.phase, event.reason) else logging.INFO
        if level == logging.INFO and event.phase is Phase.FAILED:
            level = logging.ERROR
        fields = {"component": event.component, "phase": event.phase.value, "reason": str(event.reason)}
        if event.digest:
            fields["digest"] = event.digest
        _lifecycle.log(level, event.message, extra={"fields": fields})
