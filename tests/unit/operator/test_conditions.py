"""Merging conditions with what was stored."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from wasmoor_operator import conditions
from wasmoor_operator.conditions import Condition, State, Type
from wasmoor_operator.reasons import Reason

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def ready(state: State = State.TRUE, reason: Reason = Reason.RUNNING, message: str = "m") -> Condition:
    return Condition(type=Type.READY, state=state, reason=reason, message=message)


def merge(condition: Condition, stored: Any = (), generation: int = 1, now: datetime = NOW) -> dict[str, Any]:
    return conditions.merge_conditions([condition], stored, generation, now)[0]


def test_a_new_condition_changed_now() -> None:
    assert merge(ready()) == {
        "type": "Ready",
        "status": "True",
        "reason": "Running",
        "message": "m",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-03-01T12:00:00Z",
    }


def test_another_reason_is_no_transition() -> None:
    later = NOW + timedelta(hours=1)
    merged = merge(ready(reason=Reason.DEGRADED), [merge(ready())], now=later)
    assert merged["reason"] == "Degraded"
    assert merged["lastTransitionTime"] == "2026-03-01T12:00:00Z"


def test_another_state_is_a_transition() -> None:
    later = NOW + timedelta(hours=1)
    merged = merge(ready(State.FALSE), [merge(ready())], now=later)
    assert merged["lastTransitionTime"] == "2026-03-01T13:00:00Z"


def test_a_generation_is_stamped_even_when_nothing_else_changed() -> None:
    assert merge(ready(), [merge(ready())], generation=2)["observedGeneration"] == 2


def test_an_absent_condition_reads_as_unknown_and_pending() -> None:
    found = conditions.find_condition({}, Type.READY)
    assert (found["status"], found["reason"]) == ("Unknown", "Pending")


def test_messages_are_one_line_and_bounded() -> None:
    message = merge(ready(message="a\n  b" + "c" * 5000))["message"]
    assert message.startswith("a bc")
    assert len(message) == conditions.MAX_MESSAGE


def test_times_are_in_utc_and_read_back() -> None:
    elsewhere = datetime(2026, 3, 1, 14, 0, tzinfo=timezone(timedelta(hours=2)))
    assert conditions.format_time(elsewhere) == "2026-03-01T12:00:00Z"
    assert conditions.parse_time("2026-03-01T12:00:00Z") == NOW
