"""Every error the runtime raises on purpose; who must act is in the type.

    RuntimeFault
    ├── Stalled    somebody must change something: waiting will not help
    └── Waiting    nobody need act yet: trying again may help

Anything else that escapes is a defect of ours. Callers turn a fault into a reason and a message on the pod's status
(`contract.status`) or one line on the command line; neither ever holds a secret, nor a URL's user part or query.
"""

from __future__ import annotations


class RuntimeFault(Exception):
    """What went wrong, as a CamelCase reason for machines and one sentence for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class Stalled(RuntimeFault):
    """Somebody must act: the component, its reference or its policy has to change."""


class Waiting(RuntimeFault):
    """Trying again after `delay` seconds may succeed without anybody acting."""

    def __init__(self, reason: str, message: str, *, delay: float | None = None) -> None:
        super().__init__(reason, message)
        self.delay = delay
