"""Structured log lines through the standard library: JSON for machines, `key=value` for people.

Fields are given as `extra={"fields": {...}}`. Set up once, by `__main__` and `cli`; everybody else calls `logging`.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from wasmoor_runtime import events
from wasmoor_runtime.contract.status import Phase
from wasmoor_runtime.telemetry import lines

Format = Literal["json", "text", "auto"]
TRACE = 5  # below DEBUG: single events of the lifecycle
LEVELS_VARIABLE = "WASMOOR_LOG"  # for `parse_levels`
LEVELS = {"TRACE": TRACE, "DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARNING": logging.WARNING,
          "ERROR": logging.ERROR}  # fmt: skip

# Bytes of a component between two lines that say how far fetching it is.
_FETCHED_STEP = 16 * 1024 * 1024

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
    if isinstance(value, list | tuple):
        return json.dumps(value, default=str)
    text = str(value)
    return json.dumps(text) if not text or any(c in text for c in ' "=\n\r\t') else text


def set_up(
    chosen: Format, *, level: str = "INFO", levels: Mapping[str, int] | None = None, stream: TextIO | None = None
) -> None:
    """Send all log lines to `stream` (stderr): as JSON, as text, or (`auto`) as text only if a person looks at it.

    `levels` is what `parse_levels` returns; it wins over `level`.
    """
    stream = stream or sys.stderr
    as_json = chosen == "json" or (chosen == "auto" and not stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if as_json else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    logging.addLevelName(TRACE, "TRACE")
    root.setLevel(LEVELS[level])
    # The libraries' own chatter about sessions and connections helps nobody; their warnings do.
    for name in ("mcp", "httpx", "httpx2", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # uvicorn warns of every malformed request: a client could fill the log with them.
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for name, each in (levels or {}).items():
        logging.getLogger(name).setLevel(each)


def show_lifecycle(*, shown: bool) -> None:
    """Write the lifecycle's lines or leave them out, while a display says the same."""
    _lifecycle.disabled = not shown


def parse_levels(text: str) -> dict[str, int]:
    """Return levels by logger from `wasmoor.lifecycle=trace,info`; "" is every other logger.

    `ValueError` says what cannot be understood.
    """
    levels = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, equals, level = part.rpartition("=")
        if level.upper() not in LEVELS or (equals and not name):
            raise ValueError(f"{part!r}: write LEVEL or LOGGER=LEVEL with one of {', '.join(LEVELS).lower()}")
        levels[name] = LEVELS[level.upper()]
    return levels


class LifecycleLog:
    """Writes to `wasmoor.lifecycle`: a line for every move of a component, and each event where that is asked for."""

    def __init__(self, *, log_arguments: bool = False) -> None:
        """Write of single calls at the level of traces, or always and with what they hold, without what looks secret.

        Which events are of interest is decided here, so levels are to be set before.
        """
        self._last: dict[str, tuple[Phase, str]] = {}
        self._fetched: dict[str, int] = {}
        self._log_arguments = log_arguments
        self._level = logging.INFO if log_arguments else TRACE
        tracing = _lifecycle.isEnabledFor(TRACE)
        self.kinds: events.Kinds = (
            events.Moved,
            events.Pulled,
            events.ComponentLoaded,
            *(events.COMPONENT_KINDS if tracing else ()),
            *(events.FUNCTION_KINDS if tracing or log_arguments else ()),
        )

    def hear(self, event: events.Event) -> None:
        """Write what is to be written."""
        if isinstance(event, events.Moved):
            self._hear_moved(event)
        elif isinstance(event, events.Pulled):
            self._hear_pulled(event)
        else:
            name, fields = lines.describe(event, arguments=self._log_arguments)
            level = self._level if isinstance(event, events.FUNCTION_KINDS) else TRACE
            _lifecycle.log(level, name, extra={"fields": fields})
            if isinstance(event, events.ComponentLoaded):
                fields = {"component": event.component_id, "seconds": round(event.load_time, 3)}
                _lifecycle.info("loaded", extra={"fields": fields})

    def _hear_pulled(self, event: events.Pulled) -> None:
        """Write a line for every so many bytes of a large component; small ones are here at once."""
        step = event.done // _FETCHED_STEP
        if step > self._fetched.get(event.component, 0):
            fields = {"component": event.component, "bytes": event.done, "total": event.total}
            _lifecycle.info("fetching", extra={"fields": fields})
        self._fetched[event.component] = step

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
