"""How long to wait before the next attempt. Pure.

Without jitter: a delay that can be predicted can be explained in a status and tested.
"""

from __future__ import annotations

FIRST_SECONDS = 1.0
CAP_SECONDS = 30.0
# Beyond this the cap has long been reached; without a bound 2**n would grow for ever.
_MAX_DOUBLINGS = 16


def decide_delay(failures: int, wanted: float | None = None) -> float:
    """Return the seconds to wait after so many failures in a row (at least one): 1, 2, 4 … 30.

    `wanted` is what the other side asked for (`Retry-After`); it counts as long as it is sane.
    """
    if wanted is not None and wanted > 0:
        return min(wanted, CAP_SECONDS)
    return float(min(FIRST_SECONDS * 2 ** min(failures - 1, _MAX_DOUBLINGS), CAP_SECONDS))
