"""Arguments and results as they may be shown, when somebody has asked for that. Pure.

Threat: what is logged is read by more people than may call a tool. Values under names that look like secrets are left
out, whatever their type and however deep; the rest is cut to a bound. A secret under a harmless name is not recognised:
that is why nothing of this is shown unless asked.
"""

from __future__ import annotations

import json
import re
from typing import Any

LONGEST = 2048  # characters of one value as text
_LARGEST_READ = 64 * 1024  # bytes; more would take the event loop too long
_DEEPEST = 32
_HIDDEN = "[redacted]"
_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase|code)?|pwd|secret|token|credential|api[-_]?key|private[-_]?key|access[-_]?key|auth"
    r"|cookie|session|signature|bearer|jwt|\bpin\b|\botp\b|\bkey\b",
    re.IGNORECASE,
)


def render_redacted(document: bytes) -> str:
    """Return a JSON document as bounded text without what looks secret; what is no JSON is not shown at all."""
    if len(document) > _LARGEST_READ:
        return f"[{len(document)} bytes]"
    try:
        text = json.dumps(_redact(json.loads(document), 0), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return "[unreadable]"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def _redact(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        return "[deeper]"
    if isinstance(value, dict):
        return {
            name: _HIDDEN if _SECRET_NAME.search(name) else _redact(each, depth + 1) for name, each in value.items()
        }
    if isinstance(value, list):
        return [_redact(each, depth + 1) for each in value]
    return value
