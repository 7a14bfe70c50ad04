"""What a person sees while components are fetched and compiled."""

import io

import pytest
from rich.console import Console

from wasmoor_runtime import events
from wasmoor_runtime.cli.display import Display
from wasmoor_runtime.contract.status import Phase


def draw(*heard: events.Event) -> str:
    console = Console(file=io.StringIO(), width=120, force_terminal=True, color_system=None)
    shown = Display(console, ["tools/text"])
    for event in heard:
        shown.hear(event)
    with console.capture() as captured:
        console.print(shown)
    return captured.get()


def move(message: str, phase: Phase = Phase.LOADING) -> events.Moved:
    return events.Moved(
        component="tools/text", before=Phase.DISCOVERING, phase=phase, reason="Loading", message=message
    )


@pytest.mark.parametrize(("done", "total", "told"), [(2_000_000, 8_000_000, "2.0 of 8.0 MB"), (2_000_000, 0, "2.0 MB")])
def test_a_transfer_is_a_bar_with_what_is_known(done: int, total: int, told: str) -> None:
    text = draw(move("fetching it"), events.Pulled(component="tools/text", done=done, total=total))
    assert told in text
    assert "━" in text


def test_compiling_is_a_bar_that_moves_and_ends_with_the_next_message() -> None:
    compiling = move("compiling 18.0 MB for this machine")
    assert "━" in draw(compiling)
    assert "18.0 MB" in draw(compiling)
    after = draw(compiling, move("starting the processes that run calls"))
    assert "━" not in after
    assert "starting the processes" in after
