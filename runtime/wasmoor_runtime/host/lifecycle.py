"""The lifecycle of one component as a table. Pure; `host.component` moves along it and nothing else does."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wasmoor_runtime.contract.status import Phase

MOVES: Mapping[Phase, frozenset[Phase]] = MappingProxyType(
    {
        Phase.DISCOVERING: frozenset({Phase.LOADING, Phase.FAILED, Phase.STOPPING}),
        Phase.LOADING: frozenset({Phase.REGISTERING, Phase.FAILED, Phase.STOPPING}),
        # Back to Loading when the processes died before anything could be served.
        Phase.REGISTERING: frozenset({Phase.RUNNING, Phase.LOADING, Phase.FAILED, Phase.STOPPING}),
        # Back to Loading when the processes died and could not be replaced.
        Phase.RUNNING: frozenset({Phase.LOADING, Phase.STOPPING}),
        Phase.FAILED: frozenset({Phase.STOPPING}),
        Phase.STOPPING: frozenset({Phase.TERMINATED}),
        Phase.TERMINATED: frozenset(),
    }
)


class IllegalMoveError(Exception):
    """A defect of ours: the code asked for a move the table does not have."""


def decide_move(current: Phase, wanted: Phase) -> Phase:
    """Return `wanted` if the table allows it from `current`; staying where one is is always allowed."""
    if wanted is current or wanted in MOVES[current]:
        return wanted
    allowed = ", ".join(sorted(MOVES[current])) or "nothing"
    raise IllegalMoveError(f"{current} cannot become {wanted}; it can become {allowed}")
