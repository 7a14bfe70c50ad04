"""What is checked about an artifact before anything of it is served, by the contract's rules.

Called by `host.component` between loading and registering. Advisories that cannot be read keep the component waiting,
never serving: whoever wrote the policy wants the check.
"""

from __future__ import annotations

from wasmoor_runtime.contract.document import Contract
from wasmoor_runtime.contract.status import Reason
from wasmoor_runtime.errors import Waiting
from wasmoor_runtime.policy import advisories, rules
from wasmoor_runtime.policy.advisories import Advisories
from wasmoor_runtime.ports import AdvisorySource, Blob, Profile


class NoAdvisories:
    """An `AdvisorySource` where there is none."""

    async def read(self, _contract: Contract) -> bytes:
        """Say that they are nowhere."""
        raise Waiting(Reason.POLICY_INVALID, "the policy demands advisories, and this process was given none")


async def read_advisories(contract: Contract, source: AdvisorySource) -> Advisories | None:
    """Return the advisories that the policy demands, None when it demands none; `Waiting` when they cannot be had."""
    wanted = contract.artifacts.advisories
    if wanted is None:
        return None
    document = await source.read(contract)
    try:
        return advisories.parse_advisories(document)
    except advisories.UnreadableAdvisories as error:
        text = f"the key {wanted.key} of the ConfigMap {wanted.name} holds no OSV records: {error}; correct it"
        raise Waiting(Reason.POLICY_INVALID, text) from None


def check_blob(contract: Contract, blob: Blob) -> None:
    """Raise `Stalled` (DigestDenied) when the policy denies what was fetched."""
    rules.check_digests(contract.artifacts, blob.manifest_digest, blob.digest)


def check_profile(profile: Profile, known: Advisories | None) -> None:
    """Raise `Stalled` (KnownVulnerability, PackagesUnreadable) when the advisories speak against the component."""
    if known is not None:
        advisories.check_packages(profile.packages, profile.problems, known)
