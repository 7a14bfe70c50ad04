"""Conditions: values, their merge with what was stored, and how the phase follows from them.

Conditions are `metav1.Condition`s; `Reconciling` and `Stalled` are the abnormal-true ones of kstatus, the others are
good when True. Pure: `now` is an argument. Called by `decide`.
https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from wasmoor_operator.reasons import Reason

# metav1.Condition bounds the message; far below it stays readable in `kubectl describe`.
MAX_MESSAGE = 1024


class Type(StrEnum):
    """The conditions of a WasmComponent, in the order of the lifecycle. A ComponentPolicy has `Ready` alone."""

    RESOLVED = "Resolved"
    POLICY_APPLIED = "PolicyApplied"
    LOADED = "Loaded"
    REGISTERED = "Registered"
    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"


class State(StrEnum):
    """What a condition says."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition, before it knows when it last changed."""

    type: Type
    state: State
    reason: Reason
    message: str = ""

    @property
    def is_true(self) -> bool:
        """Return whether the condition holds."""
        return self.state is State.TRUE


def merge_conditions(
    conditions: Iterable[Condition], stored: Iterable[Mapping[str, Any]], generation: int, now: datetime
) -> list[dict[str, Any]]:
    """Return the conditions as stored in a status; the transition time moves only when the state does."""
    before = {item["type"]: item for item in stored}
    return [_merge_one(condition, before.get(condition.type), generation, now) for condition in conditions]


def find_condition(status: Mapping[str, Any], kind: Type) -> Mapping[str, Any]:
    """Return a stored condition; one that is absent reads as Unknown and Pending."""
    found = (item for item in status.get("conditions") or () if item["type"] == kind)
    return next(found, {"type": kind.value, "status": State.UNKNOWN.value, "reason": Reason.PENDING.value})


def format_time(moment: datetime) -> str:
    """Return RFC 3339 with whole seconds in UTC, as Kubernetes stores times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    """Return the aware moment that an RFC 3339 text names."""
    return datetime.fromisoformat(text)


def shorten(message: str) -> str:
    """Return the message on one line, cut at the bound."""
    line = " ".join(message.split())
    return line if len(line) <= MAX_MESSAGE else f"{line[: MAX_MESSAGE - 1]}…"


def _merge_one(
    condition: Condition, before: Mapping[str, Any] | None, generation: int, now: datetime
) -> dict[str, Any]:
    """Return one condition as stored."""
    unchanged = before is not None and before["status"] == condition.state
    return {
        "type": condition.type.value,
        "status": condition.state.value,
        "reason": condition.reason.value,
        "message": shorten(condition.message),
        "observedGeneration": generation,
        "lastTransitionTime": before["lastTransitionTime"] if before and unchanged else format_time(now),
    }
