from __future__ import annotations

import pytest

from wasmoor_runtime.artifacts.packages import Package
from wasmoor_runtime.contract.document import ArtifactRules
from wasmoor_runtime.contract.spec import AdvisoriesRef, Artifacts
from wasmoor_runtime.errors import Stalled
from wasmoor_runtime.policy import advisories, rules

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64
MIB = 1024 * 1024


def test_the_same_rules_in_another_order_are_the_same() -> None:
    reference = AdvisoriesRef(name="osv", key="advisories.json")

    rendered = rules.render_rules(Artifacts(deny_digests=(TWO, ONE, TWO), advisories=reference))

    assert rendered == ArtifactRules(deny_digests=(ONE, TWO), advisories=reference)


@pytest.mark.parametrize(
    ("wanted", "installation", "largest"), [(None, MIB, MIB), ("64Ki", MIB, 65536), ("1Gi", MIB, MIB)]
)
def test_the_smaller_bound_counts(wanted: str | None, installation: int, largest: int) -> None:
    assert rules.find_largest(Artifacts(max_size=wanted), installation) == largest


@pytest.mark.parametrize("text", ["0", "0.5"])
def test_a_size_that_cannot_be_meant_is_an_invalid_policy(text: str) -> None:
    with pytest.raises(Stalled, match="maxSize") as raised:
        rules.check_rules(Artifacts(max_size=text))

    assert raised.value.reason == "PolicyInvalid"


def test_a_denied_digest_is_refused_whichever_of_an_artifact_it_is() -> None:
    denied = ArtifactRules(deny_digests=(TWO,))

    rules.check_digests(denied, ONE, None)
    with pytest.raises(Stalled, match=TWO) as raised:
        rules.check_digests(denied, ONE, TWO)

    assert raised.value.reason == "DigestDenied"


def test_packages_are_checked_and_an_unread_list_does_not_pass_for_an_empty_one() -> None:
    document = (
        b'{"id": "RUSTSEC-1", "affected": [{"package": {"ecosystem": "crates.io", "name": "a"}, "versions": ["1"]}]}'
    )
    known = advisories.parse_advisories(document)

    advisories.check_packages((Package(ecosystem="crates.io", name="a", version="2"),), (), known)
    with pytest.raises(Stalled, match="a 1 has RUSTSEC-1") as vulnerable:
        advisories.check_packages((Package(ecosystem="crates.io", name="a", version="1"),), (), known)
    with pytest.raises(Stalled, match="damaged") as unread:
        advisories.check_packages((), ("its list is damaged",), known)

    assert (vulnerable.value.reason, unread.value.reason) == ("KnownVulnerability", "PackagesUnreadable")
