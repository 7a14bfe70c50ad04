from __future__ import annotations

from wasmoor_runtime.host.rates import Rate


def test_one_second_s_worth_may_come_at_once_and_the_next_call_waits_for_its_share() -> None:
    rate = Rate(4, 10.0)

    taken = [rate.take(10.0) for _ in range(4)]

    assert taken == [0.0] * 4
    assert rate.take(10.0) == 0.25
    assert rate.take(10.125) == 0.125
    assert rate.take(10.25) == 0.0


def test_calls_that_did_not_come_are_not_saved_beyond_one_second() -> None:
    rate = Rate(2, 0.0)

    taken = [rate.take(1000.0) for _ in range(3)]

    assert taken == [0.0, 0.0, 0.5]


def test_the_rate_holds_over_any_second_of_steady_calls() -> None:
    rate = Rate(10, 0.0)

    taken = sum(rate.take(step / 100) == 0.0 for step in range(1000))

    assert taken == 10 + 99
