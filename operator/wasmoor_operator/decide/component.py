"""The decision about one WasmComponent: from what was observed to what is to be done."""

from __future__ import annotations

from wasmoor_operator import settings
from wasmoor_operator.decide.model import Observed, Plan


def decide_component(observed: Observed, render: settings.RenderSettings, pace: settings.PaceSettings) -> Plan:
    """Return what to apply, prune, write and tell, and when to look again."""
    raise NotImplementedError
