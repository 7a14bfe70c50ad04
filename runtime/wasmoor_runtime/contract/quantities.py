"""Sizes and times as Kubernetes writes them: `64Mi`, `250m`, `30s`, `1m30s`.

Pure. Called wherever a manifest's text becomes a number: bytes are integers, times are seconds as floats.
"""

from __future__ import annotations

import re
from decimal import Decimal

# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
QUANTITY_PATTERN = r"^[0-9]+(\.[0-9]+)?(k|M|G|T|P|Ki|Mi|Gi|Ti|Pi|m)?$"
# What Go's time.ParseDuration takes, without signs and units below a millisecond.
DURATION_PATTERN = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"

_FACTORS: dict[str, Decimal] = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate(("k", "M", "G", "T", "P"), start=1)},
    **{unit: Decimal(1024) ** power for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi"), start=1)},
}
_SECONDS: dict[str, float] = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")


def parse_quantity(text: str) -> Decimal:
    """Return the number that a Kubernetes quantity names; `ValueError` says what was written and what is expected."""
    if not re.match(QUANTITY_PATTERN, text):
        raise ValueError(f"{text!r} is no quantity: write a number with an optional unit, such as 64Mi or 250m")
    number = re.match(r"^[0-9.]+", text)
    digits = number.group() if number else ""
    return Decimal(digits) * _FACTORS[text[len(digits) :]]


def parse_bytes(text: str) -> int:
    """Return a size in whole bytes; `ValueError` when it is no quantity or no whole number of bytes."""
    size = parse_quantity(text)
    if size != size.to_integral_value():
        raise ValueError(f"{text!r} is no whole number of bytes: write for example 64Mi")
    return int(size)


def parse_duration(text: str) -> float:
    """Return a time in seconds; `ValueError` says what was written and what is expected."""
    if not re.match(DURATION_PATTERN, text):
        raise ValueError(f"{text!r} is no duration: write for example 30s, 500ms or 1m30s")
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION_PART.findall(text))
