"""What was measured, as a table of medians with ratios of the same rounds. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

OURS = "wasmoor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measure: the values of each column, one for every round."""

    name: str
    unit: str
    more_is_better: bool = False
    values: dict[str, list[float]] = field(default_factory=dict)

    def ratio(self, column: str) -> float | None:
        """Return how many times better we are: the median of the ratios of each round."""
        ours, theirs = self.values.get(OURS, []), self.values.get(column, [])
        pairs = [(a, b) for a, b in zip(ours, theirs, strict=False) if a > 0 and b > 0]
        if column == OURS or not pairs:
            return None
        return statistics.median(a / b if self.more_is_better else b / a for a, b in pairs)


class Table:
    """Rows in the order in which they were first measured."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        self.rows: dict[str, Row] = {}

    def add(self, name: str, unit: str, column: str, value: float, *, more_is_better: bool = False) -> None:
        """Add one round's value."""
        row = self.rows.setdefault(name, Row(name=name, unit=unit, more_is_better=more_is_better))
        row.values.setdefault(column, []).append(value)

    def render(self) -> str:
        """Return the table in Markdown; behind a median stands how many times better we are than that column."""
        head = ["", *self.columns]
        lines = [head, ["---", *("---:" for _ in self.columns)]]
        lines += [
            [_render_name(row), *(_render_cell(row, each) for each in self.columns)] for row in self.rows.values()
        ]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _render_name(row: Row) -> str:
    return f"{row.name} ({row.unit})" if row.unit else row.name


def _render_cell(row: Row, column: str) -> str:
    values = row.values.get(column)
    if not values:
        return ""
    ratio = row.ratio(column)
    shown = render_number(statistics.median(values))
    return shown if ratio is None else f"{shown} ({ratio:.2f}x)"


def render_number(value: float) -> str:
    """Return a number with three digits that say something."""
    if value == int(value) or abs(value) >= 100:  # noqa: PLR2004 - three digits
        return f"{value:,.0f}"
    return f"{value:.3g}"
