from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from tests.fakes.parts import Recorder
from wasmoor_runtime import events


class Picky(Recorder):
    kinds = (events.ComponentLoaded,)


def test_each_listener_hears_what_it_wants_in_order() -> None:
    everything, picky = Recorder(), Picky()
    bus = events.Bus((everything, picky))
    told: list[events.Event] = [
        events.ComponentLoading("a/b"),
        events.ComponentLoaded("a/b", 1.0),
        events.ComponentUnloaded("a/b"),
    ]

    for event in told:
        bus.emit(event)

    assert everything.heard == told
    assert picky.heard == [told[1]]


def test_what_nobody_wants_is_known_before_it_is_made() -> None:
    bus = events.Bus((Picky(),))

    assert bus.wants(events.ComponentLoaded)
    assert not bus.wants(events.FunctionCalled)


def test_a_listener_that_fails_keeps_the_event_from_nobody() -> None:
    class Angry(Recorder):
        def hear(self, event: events.Event) -> None:
            raise RuntimeError(str(event))

    calm = Recorder()

    events.Bus((Angry(), calm)).emit(events.ComponentLoading("a/b"))

    assert calm.heard == [events.ComponentLoading("a/b")]


@pytest.mark.parametrize("kind", events.LIFECYCLE_KINDS)
def test_events_cannot_be_changed(kind: type[events.Lifecycle]) -> None:
    values: Any = ["x"] * len(dataclasses.fields(kind))
    event = kind(*values)

    with pytest.raises(dataclasses.FrozenInstanceError):
        event.component_id = "y"  # type: ignore[misc]
