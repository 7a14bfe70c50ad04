"""What a person has to know, as lines. Each is a line on stderr; the command ends with their exit code."""

from __future__ import annotations

from collections.abc import Sequence

from wasmoor_runtime.cli.exits import Exit


class UserError(Exception):
    """Somebody has to change what they typed or wrote; `lines` say where, what, and what to write instead."""

    def __init__(self, *lines: str, code: Exit = Exit.USAGE) -> None:
        super().__init__("; ".join(lines))
        self.lines: Sequence[str] = [" ".join(line.split()) for line in lines]
        self.code = code
