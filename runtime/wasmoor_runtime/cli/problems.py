"""What a person has to mend, as lines. Each is one line on stderr; the command then ends with exit code 2."""

from __future__ import annotations

from collections.abc import Sequence

USER_ERROR = 2


class UserError(Exception):
    """Somebody has to change what they typed or wrote; `lines` say where, what, and what to write instead."""

    def __init__(self, *lines: str) -> None:
        super().__init__("; ".join(lines))
        self.lines: Sequence[str] = [" ".join(line.split()) for line in lines]
