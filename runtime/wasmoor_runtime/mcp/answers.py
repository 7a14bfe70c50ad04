"""What a client is told of a call: one text, what machines read, and whether it is an error. Pure.

Both ways to answer start here, so that they say the same: `results` for the SDK, `fastpath` for bytes. Knows no SDK.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wasmoor_runtime.ports import Outcome, Verdict

VERDICT_META = "wasmoor.dev/verdict"
"""Key in a result's `_meta` for the verdict of a call that did not end well."""

_UNREADABLE = "the component's answer could not be read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer. Every verdict but Ok is an error, so that a model reads it and can react."""

    verdict: Verdict
    text: str
    structured: Mapping[str, Any] | None = None


def decide_answer(outcome: Outcome) -> Answer:
    """Return what to say of a call that ended so."""
    if outcome.verdict is Verdict.OK:
        return _decide_ok(outcome)
    if outcome.verdict is Verdict.COMPONENT_ERROR:
        # Nothing structured: it would have to fit the tool's output schema, which describes the good result.
        return Answer(verdict=outcome.verdict, text=outcome.payload.decode(errors="replace") or outcome.message)
    return Answer(verdict=outcome.verdict, text=f"{outcome.verdict.value}: {outcome.message}")


def _decide_ok(outcome: Outcome) -> Answer:
    try:
        text = outcome.payload.decode()
        structured = json.loads(text)
    except (ValueError, RecursionError):
        structured = None
    if not isinstance(structured, dict):
        # The 2025 revisions allow objects only: one other result would fail the whole answer there.
        return Answer(verdict=Verdict.CRASHED, text=f"{Verdict.CRASHED.value}: {_UNREADABLE}")
    return Answer(verdict=Verdict.OK, text=text, structured=structured)
