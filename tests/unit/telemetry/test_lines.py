from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from wasmoor_runtime import events
from wasmoor_runtime.ports import Usage
from wasmoor_runtime.telemetry import logs
from wasmoor_runtime.telemetry.logs import TRACE, LifecycleLog, TextFormatter

ALL: tuple[events.Lifecycle, ...] = (
    events.ComponentDiscovered("tools/text", "oci://ghcr.io/example/tool:v1.0.0", "oci"),
    events.ComponentLoading("tools/text"),
    events.ComponentLoaded("tools/text", 0.142),
    events.ComponentRegistered("tools/text", ("process-data", "get-info")),
    events.FunctionCalled("tools/text", "get-info", 1, b'{"token":"s3cret","n":1}', None),
    events.FunctionCompleted("tools/text", "get-info", 1, 0.002, Usage(memory_bytes=65536), b'{"result":"fine"}'),
    events.FunctionFailed("tools/text", "get-info", 2, 0.002, None, "Trapped", "unreachable"),
    events.ComponentUnloaded("tools/text"),
)


class Lines(logging.Handler):
    """Keeps lines as people see them, without the time."""

    def __init__(self) -> None:
        super().__init__(TRACE)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(TextFormatter().format(record).split(" ", 1)[1])


@pytest.fixture
def lines() -> Iterator[Lines]:
    logger, handler = logging.getLogger("wasmoor.lifecycle"), Lines()
    before, propagate = logger.level, logger.propagate
    logging.addLevelName(TRACE, "TRACE")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield handler
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
        logger.propagate = propagate


def tell(listener: LifecycleLog) -> None:
    bus = events.Bus((listener,))
    for event in ALL:
        bus.emit(event)


def test_traces_name_all_eight_events_and_hold_no_arguments(lines: Lines) -> None:
    logging.getLogger("wasmoor.lifecycle").setLevel(TRACE)

    tell(LifecycleLog())

    traces = [line.removeprefix("trace   ") for line in lines.lines if line.startswith("trace")]
    assert traces == [
        "component_discovered component_id=tools/text uri=oci://ghcr.io/example/tool:v1.0.0 source=oci",
        "component_loading component_id=tools/text",
        "component_loaded component_id=tools/text load_time=0.142",
        'component_registered component_id=tools/text tools=["process-data", "get-info"]',
        "function_called component_id=tools/text function=get-info call=1",
        (
            "function_completed component_id=tools/text function=get-info call=1 duration=0.002 cpu_seconds=0.0"
            " memory_bytes=65536"
        ),
        (
            "function_failed component_id=tools/text function=get-info call=2 duration=0.002 reason=Trapped"
            " error=unreachable"
        ),
        "component_unloaded component_id=tools/text",
    ]


def test_without_traces_only_the_load_is_logged_and_calls_cost_nothing(lines: Lines) -> None:
    logging.getLogger("wasmoor.lifecycle").setLevel(logging.INFO)
    listener = LifecycleLog()

    tell(listener)

    assert lines.lines == ["info    loaded component=tools/text seconds=0.142"]
    assert not events.Bus((listener,)).wants(events.FunctionCalled)


def test_arguments_that_are_asked_for_are_logged_without_what_looks_secret(lines: Lines) -> None:
    logging.getLogger("wasmoor.lifecycle").setLevel(logging.INFO)

    tell(LifecycleLog(log_arguments=True))

    text = "\n".join(lines.lines)
    assert '"{\\"token\\":\\"[redacted]\\",\\"n\\":1}"' in text
    assert '"{\\"result\\":\\"fine\\"}"' in text
    assert "s3cret" not in text


def test_levels_are_given_by_logger_and_for_the_rest() -> None:
    assert logs.parse_levels("wasmoor.lifecycle=trace, info") == {"wasmoor.lifecycle": TRACE, "": logging.INFO}
    assert logs.parse_levels("") == {}


@pytest.mark.parametrize("text", ["loud", "wasmoor.lifecycle=", "=info", "a=b=c"])
def test_a_level_that_is_none_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="write LEVEL or LOGGER=LEVEL with one of trace, debug"):
        logs.parse_levels(text)
