"""What a zygote is started with. Pure: the front writes it, the zygote reads it, and only one of them has wasmtime."""

from __future__ import annotations

import json
from dataclasses import dataclass

from wasmoor_runtime.contract.document import CallLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One component and how its calls are run."""

    compiled: str
    blob: str
    limits: CallLimits
    rows: int  # workers at most

    def to_json(self) -> str:
        """Return the job as one line."""
        document = {"compiled": self.compiled, "blob": self.blob, "rows": self.rows}
        return json.dumps(document | {"limits": self.limits.model_dump(mode="json")})

    @classmethod
    def from_json(cls, text: str) -> Job:
        """Return the job that `to_json` wrote."""
        document = json.loads(text)
        return cls(**document | {"limits": CallLimits(**document["limits"])})
