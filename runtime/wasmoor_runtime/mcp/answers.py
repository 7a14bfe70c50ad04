"""What a client is told of a call: one text, what machines read, and whether it is an error. Pure.

Both ways to answer start here, so that they say the same: `results` for the SDK, `fastpath` for bytes. Knows no SDK.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wasmoor_runtime.mcp import blocks
from wasmoor_runtime.ports import Outcome, Verdict

USAGE_META = "wasmoor.dev/usage"
"""Key in a request's `_meta` that asks what the call used, and in a result's `_meta` that answers."""
VERDICT_META = "wasmoor.dev/verdict"
"""Key in a result's `_meta` for the verdict of a call that did not end well."""

_UNREADABLE = "the component's answer could not be read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer. Every verdict but Ok is an error, so that a model reads it and can react."""

    verdict: Verdict
    text: str = ""
    structured: Mapping[str, Any] | None = None
    blocks: tuple[blocks.Block, ...] | None = None
    """What stands in place of the text, where the component answers with content; MCP's own JSON."""
    usage: Mapping[str, Any] | None = None
    """What the call used, for the result's `_meta`; only where it was asked for."""


def decide_answer(outcome: Outcome, *, content: bool = False) -> Answer:
    """Return what to say of a call that ended so; `content` says that the result is a list of blocks."""
    if outcome.verdict is Verdict.OK:
        return _decide_ok(outcome, content=content)
    if outcome.verdict is Verdict.COMPONENT_ERROR:
        # Nothing structured: it would have to fit the tool's output schema, which describes the good result.
        return Answer(verdict=outcome.verdict, text=outcome.payload.decode(errors="replace") or outcome.message)
    return Answer(verdict=outcome.verdict, text=f"{outcome.verdict.value}: {outcome.message}")


def render_meta(answer: Answer) -> dict[str, Any] | None:
    """Return the result's `_meta`; none when there is nothing to say."""
    meta: dict[str, Any] = {}
    if answer.verdict is not Verdict.OK:
        meta[VERDICT_META] = answer.verdict.value
    if answer.usage is not None:
        meta[USAGE_META] = dict(answer.usage)
    return meta or None


def _decide_ok(outcome: Outcome, *, content: bool) -> Answer:
    try:
        text = outcome.payload.decode()
        structured = json.loads(text)
        shown = blocks.render_blocks(structured["result"]) if content else None
    except (ValueError, RecursionError, TypeError, KeyError):
        structured = shown = None
    if not isinstance(structured, dict):
        # The 2025 revisions allow objects only: one other result would fail the whole answer there.
        return Answer(verdict=Verdict.CRASHED, text=f"{Verdict.CRASHED.value}: {_UNREADABLE}")
    if shown is not None:
        return Answer(verdict=Verdict.OK, blocks=shown)
    return Answer(verdict=Verdict.OK, text=text, structured=structured)
