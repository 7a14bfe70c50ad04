"""Known vulnerabilities from where they are kept: a directory that a ConfigMap is mounted to, or ConfigMaps themselves.

Fills `ports.AdvisorySource`. What is missing may come, so it is waited for: `Waiting` says what to create.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from wasmoor_runtime.contract.document import Contract
from wasmoor_runtime.contract.spec import AdvisoriesRef
from wasmoor_runtime.contract.status import Reason
from wasmoor_runtime.errors import Waiting
from wasmoor_runtime.policy.advisories import LARGEST_DOCUMENT

# Of one namespace, by name: what a ConfigMap holds, by key.
ConfigMaps = Mapping[str, Mapping[str, bytes]]


class MountedAdvisories:
    """The files of a mounted ConfigMap; kubelet changes them as the ConfigMap changes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def read(self, contract: Contract, /) -> bytes:
        """Return the document; `Waiting` (PolicyInvalid) while it is not there."""
        wanted = _wanted(contract)
        try:
            return await asyncio.to_thread(_read, self._directory / wanted.key)
        except OSError:
            raise _missing(wanted) from None


class ListedAdvisories:
    """ConfigMaps that are at hand, as they are without a cluster."""

    def __init__(self, config_maps: ConfigMaps) -> None:
        self._config_maps = config_maps

    async def read(self, contract: Contract, /) -> bytes:
        """Return the document; `Waiting` (PolicyInvalid) while it is not there."""
        wanted = _wanted(contract)
        found = self._config_maps.get(wanted.name, {})
        if wanted.key not in found:
            raise _missing(wanted)
        return found[wanted.key]


def _wanted(contract: Contract) -> AdvisoriesRef:
    if contract.artifacts.advisories is None:
        raise ValueError("the contract names no advisories")
    return contract.artifacts.advisories


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST_DOCUMENT + 1)


def _missing(wanted: AdvisoriesRef) -> Waiting:
    text = f"the policy demands advisories from the ConfigMap {wanted.name}, and there is no key {wanted.key} of it"
    return Waiting(Reason.POLICY_INVALID, f"{text}: create it in this namespace, or correct the policy")
