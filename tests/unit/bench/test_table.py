from __future__ import annotations

import pytest

from bench.load import Answers, parse_report
from bench.table import Table, render_number


def test_a_cell_is_the_median_and_the_median_of_the_ratios_of_each_round() -> None:
    table = Table(("wasmoor", "other"))
    for ours, theirs in ((10, 20), (20, 100), (30, 30)):
        table.add("latency", "us", "wasmoor", ours)
        table.add("latency", "us", "other", theirs)
    assert table.rows["latency"].ratio("other") == 2
    assert table.render().splitlines()[-1] == "| latency (us) | 20 | 30 (2.00x) |"


def test_of_throughput_more_is_better() -> None:
    table = Table(("wasmoor", "other"))
    table.add("calls", "1/s", "wasmoor", 300, more_is_better=True)
    table.add("calls", "1/s", "other", 100, more_is_better=True)
    assert table.rows["calls"].ratio("other") == 3


def test_what_was_not_measured_stays_empty_and_zeros_are_not_compared() -> None:
    table = Table(("wasmoor", "other", "third"))
    table.add("lost", "", "wasmoor", 0)
    table.add("lost", "", "other", 0)
    assert table.render().splitlines()[-1] == "| lost | 0 | 0 |  |"


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (12345.6, "12,346"), (1.2345, "1.23"), (0.0123, "0.0123")])
def test_numbers_have_three_digits_that_say_something(value: float, text: str) -> None:
    assert render_number(value) == text


def test_a_report_of_the_load_generator_is_read() -> None:
    kind = {"good": 10, "bad": 1, "p50": 2.0, "p99": 3.0, "max": 4.0}
    report = parse_report({"seconds": 2.0, "unanswered": 0, "calls": kind, "others": kind})
    assert report.per_second == 5
    assert report.others == Answers(good=10, bad=1, p50=2.0, p99=3.0, max=4.0)
