from __future__ import annotations

import math

from wasmoor_runtime.engine import reports
from wasmoor_runtime.ports import Step


class Watch:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_what_a_guest_says_reaches_whoever_called() -> None:
    heard: list[Step] = []
    told = reports.Reports(Watch())
    told.begin(heard.append)
    told.tell(1.0, 3.0, "one")
    told.tell(2.0, None, None)
    assert heard == [Step(progress=1.0, total=3.0, message="one"), Step(progress=2.0)]


def test_nobody_is_told_when_nobody_asked_or_the_next_call_began() -> None:
    heard: list[Step] = []
    told = reports.Reports(Watch())
    told.tell(1.0, None, None)
    told.begin(heard.append)
    told.begin(None)
    told.tell(2.0, None, None)
    assert heard == []


def test_numbers_that_do_not_grow_are_left_out() -> None:
    heard: list[Step] = []
    told = reports.Reports(Watch())
    told.begin(heard.append)
    for progress in (0.0, 5.0, 5.0, 4.0, math.nan, math.inf, -math.inf, 6.0):
        told.tell(progress, math.inf, None)
    assert heard == [Step(progress=0.0), Step(progress=5.0), Step(progress=6.0)]


def test_a_call_starts_with_a_burst_and_goes_on_at_a_rate() -> None:
    heard: list[Step] = []
    watch = Watch()
    told = reports.Reports(watch)
    told.begin(heard.append)
    for number in range(1000):
        told.tell(float(number), None, None)
    assert len(heard) == reports.BURST
    watch.now += 10 * reports.SECONDS_PER_REPORT + 0.001
    for number in range(1000, 2000):
        told.tell(float(number), None, None)
    assert len(heard) == reports.BURST + 11


def test_a_long_message_is_cut() -> None:
    heard: list[Step] = []
    told = reports.Reports(Watch())
    told.begin(heard.append)
    told.tell(1.0, None, "x" * 5000)
    assert len(heard[0].message) == reports.LONGEST_MESSAGE
