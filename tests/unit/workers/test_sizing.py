from __future__ import annotations

import pytest

from wasmoor_runtime.workers.sizing import Load, decide_delay, decide_workers


@pytest.mark.parametrize(
    ("limit", "slow", "expected"),
    [(16, 0, 2), (16, 1, 4), (16, 2, 6), (16, 7, 16), (16, 16, 16), (1, 0, 1), (1, 1, 1), (3, 1, 3)],
)
def test_there_are_two_workers_and_two_more_for_every_slow_call_up_to_the_limit(
    limit: int, slow: int, expected: int
) -> None:
    assert decide_workers(Load(limit=limit, slow=slow)) == expected


def test_workers_that_keep_dying_are_replaced_ever_more_slowly() -> None:
    assert [decide_delay(failures) for failures in range(5)] == [0.0, 0.1, 0.2, 0.4, 0.8]
    assert decide_delay(10**6) == 10.0
