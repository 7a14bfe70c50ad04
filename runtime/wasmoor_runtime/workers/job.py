"""What a zygote is started with, and what it says of the component, or why it could not start.

Pure: the front writes the one and reads the other, and only the zygote has wasmtime.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from wasmoor_runtime.artifacts.packages import Package
from wasmoor_runtime.contract.document import CallLimits
from wasmoor_runtime.errors import RuntimeFault, Stalled, Waiting
from wasmoor_runtime.ports import Function, Profile


class CodeUnusable(Waiting):
    """The file of compiled code is damaged, or was made for something else: compiling again helps."""

    def __init__(self, message: str) -> None:
        super().__init__("CompileFailed", message)


# By the name that the zygote reports; the first that fits.
FAULTS: dict[str, type[RuntimeFault]] = {"unusable": CodeUnusable, "waiting": Waiting, "stalled": Stalled}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a zygote knows of the component once it has loaded it."""

    functions: tuple[Function, ...]
    profile: Profile

    def to_report(self) -> dict[str, Any]:
        """Return plain dictionaries and lists."""
        return asdict(self)

    @classmethod
    def from_report(cls, report: Mapping[str, Any]) -> Self:
        """Return what `to_report` made."""
        profile = report["profile"]
        packages = tuple(Package(**each) for each in profile["packages"])
        texts = {name: tuple(profile[name]) for name in ("imports", "exports", "problems")}
        return cls(
            functions=tuple(Function(**each) for each in report["functions"]),
            profile=Profile(**{**profile, **texts, "packages": packages}),
        )
