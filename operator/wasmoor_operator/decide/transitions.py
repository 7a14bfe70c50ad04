"""What people are told: an Event for each change of a condition that matters, none for a state that lasts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wasmoor_operator.conditions import Condition, State, Type, find_condition, shorten
from wasmoor_operator.decide.model import Event, Manifest
from wasmoor_operator.reasons import Reason

# Steps on the way: the next one tells more, and every Event is a write. Reconciling and Stalled repeat the others.
_QUIET_REASONS = frozenset(
    {
        Reason.PENDING,
        Reason.LOADING,
        Reason.AS_EXPECTED,
        Reason.POLICY_APPLIED,
        Reason.LOADED,
        Reason.REGISTERED,
    }
)
_QUIET_TYPES = frozenset({Type.RECONCILING, Type.STALLED})
_NORMAL_REASONS = frozenset({Reason.SUSPENDED, Reason.TERMINATED})


def find_events(conditions: Iterable[Condition], before: Manifest, after: Manifest) -> tuple[Event, ...]:
    """Return what to tell about the way from one status to the next; the same reason is told once."""
    found: dict[str, Event] = {}
    for event in (*_condition_events(conditions, before), *_artifact_events(before, after), *_restarts(before, after)):
        found.setdefault(event.reason, event)
    return tuple(found.values())


def _condition_events(conditions: Iterable[Condition], before: Manifest) -> Iterator[Event]:
    """Yield an Event for each condition whose state or reason changed."""
    for condition in conditions:
        stored = find_condition(before, condition.type)
        changed = (stored["status"], stored["reason"]) != (condition.state, condition.reason)
        if changed and condition.type not in _QUIET_TYPES and condition.reason not in _QUIET_REASONS:
            yield Event(
                warning=not condition.is_true and condition.reason not in _NORMAL_REASONS,
                reason=condition.reason.value,
                message=shorten(condition.message),
            )


def _artifact_events(before: Manifest, after: Manifest) -> Iterator[Event]:
    """Yield an Event when the source names another version than before; that pods found out its digest is none."""
    old, new = before.get("artifact") or {}, after.get("artifact") or {}
    if find_condition(after, Type.RESOLVED)["status"] != State.TRUE:
        return
    kind = "version" if "version" in old and "version" in new else "digest"
    if old.get(kind) and new.get(kind) and old[kind] != new[kind]:
        word = "version " if kind == "version" else ""
        message = f"{new['reference']} is now {word}{new[kind]}, was {word}{old[kind]}"
        yield Event(warning=False, reason=Reason.RESOLVED.value, message=message)


def _restarts(before: Manifest, after: Manifest) -> Iterator[Event]:
    """Yield an Event when a container was started again."""
    old, new = before.get("restarts") or {}, after["restarts"]
    if new["count"] > old.get("count", 0) and "lastReason" in new:
        yield Event(warning=True, reason=new["lastReason"], message=new["lastMessage"])
