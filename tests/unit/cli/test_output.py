from __future__ import annotations

import json

import pytest
import yaml

from wasmoor_runtime.cli.output import Format, render_cell, render_rows, render_size, show

VALUE = {"name": "größe", "items": [1, 2.5, None], "deep": {"ok": True}}


@pytest.mark.parametrize(("chosen", "read"), [(Format.JSON, json.loads), (Format.YAML, yaml.safe_load)])
def test_programs_read_back_what_was_shown(chosen: Format, read: object, capsys: pytest.CaptureFixture[str]) -> None:
    show(VALUE, chosen)
    assert callable(read)
    assert read(capsys.readouterr().out) == VALUE


def test_a_table_in_a_pipe_is_not_cut_and_has_no_blanks_at_ends_of_lines(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 500
    show({}, Format.TABLE, render_rows(("A", "B"), [("[bold]1", long), ("2", "")]))
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["A        B", f"[bold]1  {long}", "2        -"]


def test_cells_and_sizes_are_short() -> None:
    cells: list[object] = [None, "", True, False, 0, 0.1234567891, [], {"a": 1}]
    shown = [render_cell(each) for each in cells]
    assert shown == ["-", "-", "yes", "no", "0", "0.123457", "-", '{"a": 1}']
    assert [render_size(size) for size in (0, 999, 1000, 18_100_000, 5_000_000_000)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "18.1 MB",
        "5.0 GB",
    ]
