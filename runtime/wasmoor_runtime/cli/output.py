"""Results on stdout: as JSON or YAML for programs, as a table for people. Every command uses `show`.

All three come from the same value. Nothing else is ever written to stdout; errors, notes and progress go to stderr.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

# Wide enough for any table that is piped into a file: nothing is cut to a terminal that is not there.
_UNLIMITED = 10_000


class Format(StrEnum):
    """What `-o` takes."""

    JSON = "json"
    YAML = "yaml"
    TABLE = "table"


Chosen = Annotated[Format, typer.Option("--output", "-o", help="How to show the result.", case_sensitive=False)]


def show(value: Any, chosen: Format, table: Table | None = None) -> None:
    """Write the value: plain dictionaries, lists, texts and numbers. `table` is how people like to see it."""
    if chosen is Format.JSON:
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    elif chosen is Format.YAML:
        sys.stdout.write(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=120))
    else:
        write_table(render_pairs(value) if table is None else table)


def write_table(table: Table) -> None:
    """Write a table: as wide as the terminal, or as wide as it needs to be."""
    if sys.stdout.isatty():
        Console().print(table)
        return
    console = Console(width=_UNLIMITED, color_system=None)
    with console.capture() as capture:
        console.print(table)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()))


def render_rows(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """Return a table with a line for each row; what is empty is shown as a dash."""
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=bool(headings))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(render_cell(cell)) for cell in row))
    return table


def render_pairs(value: Any) -> Table:
    """Return a table of names and values; what is nested is written as JSON."""
    table = Table(box=None, show_header=False, pad_edge=False)
    pairs = value.items() if isinstance(value, Mapping) else (("result", value),)
    for name, cell in pairs:
        table.add_row(Text(str(name), style="bold"), Text(render_cell(cell)))
    return table


def render_cell(cell: object) -> str:
    """Return a value as one cell."""
    if cell is None or cell == "":
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.6g}"
    if isinstance(cell, Mapping | list | tuple):
        return json.dumps(cell, ensure_ascii=False) if cell else "-"
    return str(cell)


def render_size(count: int) -> str:
    """Return bytes as people write them."""
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:  # noqa: PLR2004
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
