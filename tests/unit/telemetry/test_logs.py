from __future__ import annotations

import json
import logging
import sys

import pytest

from wasmoor_runtime import events
from wasmoor_runtime.contract.status import Phase
from wasmoor_runtime.telemetry.logs import JsonFormatter, LifecycleLog, TextFormatter


class Lines(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def make_record(message: str, **fields: object) -> logging.LogRecord:
    record = logging.LogRecord("wasmoor.lifecycle", logging.INFO, __file__, 1, message, (), None)
    record.fields = fields
    return record


def make_move(phase: Phase, reason: str, message: str = "m") -> events.Moved:
    return events.Moved(
        component="tools/text", before=Phase.LOADING, phase=phase, reason=reason, message=message, digest="sha256:a"
    )


def test_a_json_line_holds_message_and_fields_and_is_one_line() -> None:
    line = JsonFormatter().format(make_record("pulled\nforged", component="tools/text", seconds=1.5))
    entry = json.loads(line)
    assert "\n" not in line
    assert (entry["message"], entry["level"], entry["seconds"]) == ("pulled\nforged", "info", 1.5)
    assert entry["time"].endswith("+00:00")


def test_an_exception_in_a_json_line_stays_one_line() -> None:
    record = make_record("oops")
    try:
        int("x")
    except ValueError:
        record.exc_info = sys.exc_info()
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert "ValueError: invalid literal" in json.loads(line)["error"]


def test_text_for_people_cannot_be_forged_with_newlines_and_quotes_values_with_blanks() -> None:
    line = TextFormatter().format(make_record("pulled\nforged", why="two words", n=1))
    assert "\n" not in line
    assert line.endswith('info    pulled\\nforged why="two words" n=1')


def test_a_phase_is_news_once_and_a_failure_is_an_error() -> None:
    logger, lines, listener = logging.getLogger("wasmoor.lifecycle"), Lines(), LifecycleLog()
    logger.addHandler(lines)
    before, propagate = logger.level, logger.propagate
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        for move in (
            make_move(Phase.LOADING, "RegistryUnavailable", "trying again in 1 s"),
            make_move(Phase.LOADING, "RegistryUnavailable", "trying again in 2 s"),
            make_move(Phase.FAILED, "NotAComponent"),
        ):
            listener.hear(move)
    finally:
        logger.removeHandler(lines)
        logger.setLevel(before)
        logger.propagate = propagate
    assert [record.levelname for record in lines.records] == ["INFO", "DEBUG", "ERROR"]
    assert lines.records[0].fields == {  # type: ignore[attr-defined]
        "component": "tools/text", "phase": "Loading", "reason": "RegistryUnavailable", "digest": "sha256:a",
    }  # fmt: skip


def test_fetching_something_large_is_told_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    listener, mib = LifecycleLog(), 1024 * 1024
    with caplog.at_level(logging.INFO, logger="wasmoor.lifecycle"):
        for done in (1, 15, 16, 17, 31, 40):
            listener.hear(events.Pulled(component="tools/text", done=done * mib, total=40 * mib))
    told = [record.fields["bytes"] // mib for record in caplog.records if record.message == "fetching"]  # type: ignore[attr-defined]
    assert told == [16, 40]
