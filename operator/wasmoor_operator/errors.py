"""Every error the operator raises on purpose; who must act is in the type.

    OperatorFault      ours: tried again with a back-off
    ├── Stalled        the user must act: waiting will not help
    └── Waiting        nobody need act yet: tried again after `delay` seconds

A fault becomes a condition (`decide`) with its reason and message. Messages never hold a secret, nor a URL's user part
or query. Pure.
"""

from __future__ import annotations

from wasmoor_operator.reasons import Reason


class OperatorFault(Exception):
    """What went wrong: a reason for machines, one sentence for people."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class Stalled(OperatorFault):
    """Somebody must change something; trying again alone does not help."""


class Waiting(OperatorFault):
    """Trying again after `delay` seconds may succeed without anybody acting."""

    def __init__(self, reason: Reason, message: str, *, delay: float) -> None:
        super().__init__(reason, message)
        self.delay = delay
