from __future__ import annotations

import itertools

import pytest

from wasmoor_runtime.contract.status import Phase
from wasmoor_runtime.host import backoff, lifecycle


def test_every_phase_has_a_row() -> None:
    assert set(lifecycle.MOVES) == set(Phase)


def test_a_component_can_go_all_the_way() -> None:
    way = [Phase.DISCOVERING, Phase.LOADING, Phase.REGISTERING, Phase.RUNNING, Phase.STOPPING, Phase.TERMINATED]
    for current, wanted in itertools.pairwise(way):
        assert lifecycle.decide_move(current, wanted) is wanted


def test_everything_but_the_end_can_be_stopped() -> None:
    for phase in set(Phase) - {Phase.TERMINATED}:
        assert lifecycle.decide_move(phase, Phase.STOPPING) is Phase.STOPPING


@pytest.mark.parametrize(
    ("current", "wanted"),
    [
        (Phase.DISCOVERING, Phase.RUNNING),
        (Phase.LOADING, Phase.RUNNING),
        (Phase.RUNNING, Phase.FAILED),
        (Phase.FAILED, Phase.LOADING),
        (Phase.STOPPING, Phase.RUNNING),
        (Phase.TERMINATED, Phase.LOADING),
    ],
)
def test_a_move_that_skips_or_returns_raises(current: Phase, wanted: Phase) -> None:
    with pytest.raises(lifecycle.IllegalMoveError, match=f"{current} cannot become {wanted}"):
        lifecycle.decide_move(current, wanted)


def test_delays_double_up_to_thirty_seconds() -> None:
    assert [backoff.decide_delay(n) for n in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]
    assert backoff.decide_delay(10_000) == 30


def test_a_delay_that_is_asked_for_counts_as_long_as_it_is_sane() -> None:
    assert backoff.decide_delay(1, 12.0) == 12
    assert backoff.decide_delay(1, 86_400.0) == 30
    assert backoff.decide_delay(3, 0.0) == 4
