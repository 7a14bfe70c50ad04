"""Descriptive statistics, exported as the functions of `wit/world.wit`.

componentize-py generates `wit_world` and `componentize_py_types` from the WIT when it builds. Raising
`Err` returns the error case of a function's result.
"""

import math
import statistics
from itertools import chain

import wit_world
from componentize_py_types import Err

DEFAULT_BINS = 10
MOST_BINS = 1000


class WitWorld(wit_world.WitWorld):
    """What the component exports."""

    def summarize(self, numbers: list[float]) -> wit_world.Summary:
        """Return count, extremes, mean, median and deviation."""
        check_numbers(numbers)
        return wit_world.Summary(
            count=len(numbers),
            minimum=min(numbers),
            maximum=max(numbers),
            mean=statistics.fmean(numbers),
            median=statistics.median(numbers),
            deviation=statistics.stdev(numbers) if len(numbers) > 1 else None,
        )

    def percentile(self, numbers: list[float], percentage: float) -> float:
        """Return the value at a percentage, interpolated between neighbours."""
        check_numbers(numbers)
        if not 0 <= percentage <= 100:
            raise Err(f"the percentage must be from 0 to 100, not {percentage:g}")
        ordered = sorted(numbers)
        fraction, below = math.modf(percentage / 100 * (len(ordered) - 1))
        lower = ordered[int(below)]
        upper = ordered[min(int(below) + 1, len(ordered) - 1)]
        return lower + fraction * (upper - lower)

    def linear_fit(self, points: list[wit_world.Point]) -> wit_world.Line:
        """Return the line with the least squared error."""
        xs, ys = [point.x for point in points], [point.y for point in points]
        check_numbers(list(chain(xs, ys)))
        if len(set(xs)) == 1:
            raise Err("a line needs points with at least two different x")
        slope, intercept = statistics.linear_regression(xs, ys)
        # A level line through level points leaves no error, and nothing to correlate.
        correlation = statistics.correlation(xs, ys) if len(set(ys)) > 1 else 1.0
        return wit_world.Line(slope=slope, intercept=intercept, r_squared=correlation**2)

    def histogram(self, numbers: list[float], bins: int | None) -> list[wit_world.Bin]:
        """Count numbers in bins of equal width."""
        check_numbers(numbers)
        bins = DEFAULT_BINS if bins is None else bins
        if not 1 <= bins <= MOST_BINS:
            raise Err(f"the number of bins must be from 1 to {MOST_BINS}, not {bins}")
        lowest, highest = min(numbers), max(numbers)
        if lowest == highest:
            return [wit_world.Bin(lower=lowest, upper=highest, count=len(numbers))]
        width = (highest - lowest) / bins
        counts = [0] * bins
        for number in numbers:
            counts[min(int((number - lowest) / width), bins - 1)] += 1
        edges = [lowest + width * edge for edge in range(bins)] + [highest]
        return [
            wit_world.Bin(lower=edges[index], upper=edges[index + 1], count=count)
            for index, count in enumerate(counts)
        ]


def check_numbers(numbers: list[float]) -> None:
    """Refuse what has no statistics: no numbers at all, NaN, infinities."""
    if not numbers:
        raise Err("there are no numbers")
    if not all(map(math.isfinite, numbers)):
        raise Err("every number must be finite")
