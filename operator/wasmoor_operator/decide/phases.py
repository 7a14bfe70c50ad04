"""The phase, for people: a table over the conditions, read from the top. Pure; nothing reads a phase back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from wasmoor_operator.api.status import Phase
from wasmoor_operator.conditions import Condition, Type
from wasmoor_operator.reasons import Reason

Conditions = Mapping[Type, Condition]

_DIED = frozenset({Reason.CRASHED, Reason.OUT_OF_MEMORY})


def find_phase(conditions: Conditions) -> Phase:
    """Return the first phase whose row holds."""
    return next(phase for phase, holds in TABLE if holds(conditions))


TABLE: tuple[tuple[Phase, Callable[[Conditions], bool]], ...] = (
    (Phase.STOPPING, lambda c: c[Type.READY].reason is Reason.TERMINATED),
    (Phase.SUSPENDED, lambda c: c[Type.READY].reason is Reason.SUSPENDED),
    (Phase.DEGRADED, lambda c: c[Type.READY].is_true and c[Type.READY].reason is Reason.DEGRADED),
    (Phase.RUNNING, lambda c: c[Type.READY].is_true),
    (Phase.FAILED, lambda c: c[Type.STALLED].is_true),
    (Phase.RESTARTING, lambda c: c[Type.LOADED].reason in _DIED),
    (Phase.DISCOVERING, lambda c: not (c[Type.RESOLVED].is_true and c[Type.POLICY_APPLIED].is_true)),
    (Phase.LOADING, lambda c: not c[Type.LOADED].is_true),
    (Phase.REGISTERING, lambda c: not c[Type.REGISTERED].is_true),
    # Everything was found good, yet no pod serves: its pods lost their readiness.
    (Phase.RESTARTING, lambda _: True),
)
