"""From a `Refusal` (what an artifact or a registry refuses) to a fault of the runtime (who must act)."""

from __future__ import annotations

from wasmoor_runtime import errors
from wasmoor_runtime.artifacts.refusals import Refusal


def render_fault(refusal: Refusal) -> errors.RuntimeFault:
    """Return the fault to raise from the refusal."""
    if refusal.delay is None:
        return errors.Stalled(refusal.reason, refusal.message)
    return errors.Waiting(refusal.reason, refusal.message, delay=refusal.delay)
