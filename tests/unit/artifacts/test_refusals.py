from datetime import UTC, datetime

import pytest

from wasmoor_operator import reasons
from wasmoor_runtime.artifacts import refusals
from wasmoor_runtime.artifacts.refusals import Refusal
from wasmoor_runtime.contract.status import Reason

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


def later(retry_after: float | None = None) -> Refusal:
    return Refusal(Reason.REGISTRY_UNAVAILABLE, "busy", waiting=True, retry_after=retry_after)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        (" 30 ", 30.0),
        ("999999999", refusals.LONGEST_DELAY),
        ("Thu, 01 Jan 2026 12:01:00 GMT", 60.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert refusals.parse_retry_after(text, NOW) == seconds


def test_pauses_grow_and_end() -> None:
    assert [refusals.decide_pause(later(), attempt) for attempt in range(4)] == [0.5, 1.0, None, None]


@pytest.mark.parametrize(("asked", "pause"), [(0.0, 0.0), (5.0, 5.0), (5.1, None), (3600.0, None)])
def test_a_short_wish_is_granted_and_a_long_one_is_the_callers(asked: float, pause: float | None) -> None:
    assert refusals.decide_pause(later(asked), 0) == pause


def test_what_somebody_must_act_on_is_not_repeated() -> None:
    refusal = Refusal(Reason.ARTIFACT_NOT_FOUND, "gone")
    assert refusals.decide_pause(refusal, 0) is None
    assert refusal.delay is None


def test_callers_never_ask_again_at_once() -> None:
    assert later(0.0).delay == 1.0
    assert later(120.0).delay == 120.0
    assert later().delay == refusals.DEFAULT_DELAY


@pytest.mark.parametrize(
    ("status", "known", "reason", "waiting"),
    [
        (401, False, Reason.CREDENTIALS_MISSING, False),
        (401, True, Reason.CREDENTIALS_FORBIDDEN, False),
        (403, False, Reason.CREDENTIALS_FORBIDDEN, False),
        (404, True, Reason.ARTIFACT_NOT_FOUND, False),
        (429, False, Reason.REGISTRY_UNAVAILABLE, True),
        (500, False, Reason.REGISTRY_UNAVAILABLE, True),
        (599, False, Reason.REGISTRY_UNAVAILABLE, True),
        (418, False, Reason.PULL_FAILED, False),
    ],
)
def test_a_status_has_its_reason(status: int, known: bool, reason: Reason, waiting: bool) -> None:  # noqa: FBT001
    refusal = refusals.refuse_status(status, "r.example/a:1", "r.example", known=known)
    assert (refusal.reason, refusal.waiting) == (reason, waiting)
    assert "r.example/a:1" in refusal.message
    assert f"r.example answered {status}" in refusal.message


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"errors": [{"code": "NAME_UNKNOWN"}]}', "NAME_UNKNOWN"),
        (b'{"errors": [{"code": "<b>"}]}', ""),
        (b'{"errors": [{"code": 7}]}', ""),
        (b'{"errors": []}', ""),
        (b'{"errors": {"x": 1}}', ""),
        (b"[]", ""),
        (b"\xff", ""),
        (b"[" * 100_000, ""),
    ],
)
def test_only_a_plain_error_code_is_believed(body: bytes, code: str) -> None:
    assert refusals.parse_error_code(body) == code


def test_every_reason_of_a_pod_is_one_of_the_operator() -> None:
    assert {reason.value for reason in Reason} <= {reason.value for reason in reasons.Reason}
