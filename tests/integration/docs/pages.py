"""Examples in documentation pages: fenced blocks that are run, in order, as somebody who reads the page would.

    ```console          commands after `$ `, each followed by what it prints; `…` stands for anything, on a line of its
                        own for any lines; `[exit code N]` for a code other than 0; output may be left out altogether
    ```yaml             with `# file: PATH` in its first line: written there

A command that ends in `&` is left running.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^# file: (\S+)\n")
_CODE = re.compile(r"^\[exit code (\d+)\]$")
ANYTHING = "…"
_ANY_LINES = "(?:[^\n]*\n)*?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command and what it prints."""

    line: int  # in the page
    text: str
    expected: tuple[str, ...]
    code: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file to write."""

    path: str
    text: str


def parse_page(page: Path) -> list[Command | File]:
    """Return what is to be done, in the page's order."""
    text = page.read_text("utf-8")
    return [step for found in _FENCE.finditer(text) for step in _parse_block(found, text)]


def _parse_block(found: re.Match[str], text: str) -> Iterator[Command | File]:
    language, body = found.groups()
    if language == "yaml" and (name := _FILE.match(body)):
        yield File(path=name.group(1), text=body[name.end() :])
    if language != "console":
        return
    first = text[: found.start(2)].count("\n") + 1
    starts = [match.start() for match in re.finditer(r"^\$ ", body, re.MULTILINE)]
    for start, end in zip(starts, [*starts[1:], len(body)], strict=True):
        command, *printed = body[start + 2 : end].splitlines()
        codes = [int(match.group(1)) for each in printed if (match := _CODE.match(each))]
        yield Command(
            line=first + body[:start].count("\n"),
            text=command,
            expected=tuple(each for each in printed if not _CODE.match(each)),
            code=codes[0] if codes else 0,
        )


def explain_difference(expected: tuple[str, ...], printed: str) -> str:
    """Return nothing when it was printed as expected; blanks at ends of lines and wider gaps do not matter."""
    if not expected:
        return ""
    lines = [_squeeze(line) for line in printed.strip("\n").splitlines()]
    if re.fullmatch(_join(expected), "\n".join(lines) + "\n", re.DOTALL):
        return ""
    return f"expected:\n{chr(10).join(expected)}\nprinted:\n{printed}"


def _join(expected: tuple[str, ...]) -> str:
    return "".join(_ANY_LINES if line.strip() == ANYTHING else f"{_render_line(line)}\n" for line in expected)


def _render_line(line: str) -> str:
    return "[^\n]*".join(re.escape(part) for part in _squeeze(line).split(ANYTHING))


def _squeeze(line: str) -> str:
    """Return a line with single blanks inside, so that columns may be wider than in the page."""
    body = line.lstrip(" ")
    return line[: len(line) - len(body)] + re.sub(r" +", " ", body.rstrip())
