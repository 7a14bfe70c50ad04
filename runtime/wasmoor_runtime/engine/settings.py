"""The engine's settings that compiled code depends on.

Pure. Code compiled with some settings can only be loaded with the same, so `compile` and `machine` build their engine
from one `EngineSettings`, and `compiler` keys its cache by it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from wasmoor_runtime.contract.document import CallLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """What distinguishes one engine from another."""

    stack_bytes: int  # WebAssembly stack of one call
    metered: bool  # True counts fuel, which makes guests 1.2 to 2.2 times slower

    @classmethod
    def from_limits(cls, limits: CallLimits) -> EngineSettings:
        """Return the settings that calls with these limits need."""
        return cls(stack_bytes=limits.stack_bytes, metered=limits.fuel is not None)

    @classmethod
    def from_json(cls, text: str) -> EngineSettings:
        """Return the settings that `to_json` wrote."""
        return cls(**json.loads(text))

    def to_json(self) -> str:
        """Return the settings as one line with sorted keys."""
        return json.dumps(asdict(self), sort_keys=True)
