from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.parts import DIGEST, LAYER, Clock, FakePool, Recorder, make_contract, make_function, make_parts, until
from wasmoor_runtime.artifacts.packages import Package
from wasmoor_runtime.contract.document import ArtifactRules, Contract
from wasmoor_runtime.contract.spec import AdvisoriesRef
from wasmoor_runtime.contract.status import ComponentStatus, Phase
from wasmoor_runtime.errors import Waiting
from wasmoor_runtime.events import Moved
from wasmoor_runtime.host.component import ComponentHost, Parts
from wasmoor_runtime.ports import Profile

ADVISORIES = AdvisoriesRef(name="osv", key="advisories.json")
RECORD = b"""{"id": "RUSTSEC-2018-0005", "aliases": ["CVE-2018-20993"], "affected": [{
  "package": {"ecosystem": "crates.io", "name": "yaml-rust"},
  "ranges": [{"type": "SEMVER", "events": [{"introduced": "0.0.0-0"}, {"fixed": "0.4.1"}]}]}]}"""


class Documents:
    """An `AdvisorySource` that answers with each document in turn, the last one again and again."""

    def __init__(self, *documents: bytes | Waiting) -> None:
        self.documents = list(documents)

    async def read(self, _contract: Contract, /) -> bytes:
        found = self.documents.pop(0) if len(self.documents) > 1 else self.documents[0]
        if isinstance(found, Waiting):
            raise found
        return found


def make_pool(*packages: tuple[str, str], problems: tuple[str, ...] = ()) -> FakePool:
    listed = tuple(Package(ecosystem="crates.io", name=name, version=version) for name, version in packages)
    return FakePool([make_function("shout")], profile=Profile(name="text", packages=listed, problems=problems))


async def settle(parts: Parts, rules: ArtifactRules) -> tuple[ComponentStatus, Recorder]:
    """Return the status of a component once it runs or has failed."""
    contract = make_contract().model_copy(update={"artifacts": rules})

    async def discover() -> Contract:
        return contract

    recorder = Recorder()
    host = ComponentHost(contract.component, discover, parts, listeners=(recorder,), sleep=Clock(at_most=5).sleep)
    host.start()
    await until(lambda: host.phase in {Phase.RUNNING, Phase.FAILED})
    status = host.status()
    await host.stop(0)
    return status, recorder


async def test_a_component_with_a_known_vulnerability_is_not_served() -> None:
    pool = make_pool(("yaml-rust", "0.3.5"), ("serde", "1.0.0"))
    parts = replace(make_parts(pool), advisories=Documents(RECORD))

    status, recorder = await settle(parts, ArtifactRules(advisories=ADVISORIES))

    assert (status.phase, status.reason) == (Phase.FAILED, "KnownVulnerability")
    assert status.message == (
        "known vulnerabilities: yaml-rust 0.3.5 has RUSTSEC-2018-0005 (CVE-2018-20993), fixed in 0.4.1; "
        "build the component with fixed versions"
    )
    assert status.tools == ()
    assert "Registering" not in recorder.phases()
    assert pool.closed


@pytest.mark.parametrize("packages", [[("yaml-rust", "0.4.1")], []])
async def test_a_component_without_one_is_served(packages: list[tuple[str, str]]) -> None:
    parts = replace(make_parts(make_pool(*packages)), advisories=Documents(RECORD))

    status, _ = await settle(parts, ArtifactRules(advisories=ADVISORIES))

    assert status.phase is Phase.RUNNING


async def test_a_component_whose_packages_cannot_be_read_is_not_served_where_they_must_be() -> None:
    pool = make_pool(problems=("the list of packages in its section .dep-v0 cannot be read",))

    checked, _ = await settle(
        replace(make_parts(pool), advisories=Documents(RECORD)), ArtifactRules(advisories=ADVISORIES)
    )
    unchecked, _ = await settle(make_parts(make_pool(problems=("the same",))), ArtifactRules())

    assert (checked.phase, checked.reason) == (Phase.FAILED, "PackagesUnreadable")
    assert unchecked.phase is Phase.RUNNING


@pytest.mark.parametrize("first", [Waiting("PolicyInvalid", "there is no key advisories.json of it"), b"no records"])
async def test_advisories_that_cannot_be_had_are_waited_for(first: Waiting | bytes) -> None:
    parts = replace(make_parts(make_pool()), advisories=Documents(first, RECORD))

    status, recorder = await settle(parts, ArtifactRules(advisories=ADVISORIES))

    assert status.phase is Phase.RUNNING
    assert any(isinstance(each, Moved) and each.reason == "PolicyInvalid" for each in recorder.heard)
    assert recorder.phases()[:3] == ["Loading", "Registering", "Running"]


async def test_a_process_without_advisories_never_serves_what_must_be_checked() -> None:
    contract = make_contract().model_copy(update={"artifacts": ArtifactRules(advisories=ADVISORIES)})

    async def discover() -> Contract:
        return contract

    host = ComponentHost(contract.component, discover, make_parts(make_pool()), sleep=Clock(at_most=5).sleep)

    with pytest.raises(Waiting, match="advisories") as raised:
        await host.start_once()

    assert raised.value.reason == "PolicyInvalid"


@pytest.mark.parametrize("digest", [DIGEST, LAYER], ids=["manifest", "component"])
async def test_a_denied_digest_is_not_served_whether_of_the_manifest_or_of_the_component(digest: str) -> None:
    status, _ = await settle(make_parts(make_pool()), ArtifactRules(deny_digests=(digest,)))

    assert (status.phase, status.reason) == (Phase.FAILED, "DigestDenied")
    assert digest in status.message


async def test_the_status_says_what_the_component_is() -> None:
    profile = Profile(
        name="clock", version="1.2.3", language="Rust", imports=("wasi:io/poll@0.2.9",), exports=("get-time",) * 65
    )
    status, _ = await settle(make_parts(FakePool([make_function("shout")], profile=profile)), ArtifactRules())

    assert status.component is not None
    assert (status.component.name, status.component.version, status.component.language) == ("clock", "1.2.3", "Rust")
    assert status.component.imports == ("wasi:io/poll@0.2.9",)
    assert len(status.component.exports) == 64


async def test_a_component_without_a_name_has_its_publisher_s_or_else_that_of_its_resource() -> None:
    unnamed = FakePool([make_function("shout")])
    parts = make_parts(unnamed)
    without, _ = await settle(parts, ArtifactRules())
    annotations = {"org.opencontainers.image.title": "published", "org.opencontainers.image.version": "2.0.0"}

    class Annotated:
        async def fetch(self, *arguments: object) -> object:
            return replace(await parts.fetcher.fetch(*arguments), annotations=annotations)  # type: ignore[arg-type]

    published, _ = await settle(replace(parts, fetcher=Annotated()), ArtifactRules())  # type: ignore[arg-type]

    assert without.component is not None
    assert (without.component.name, without.component.version) == ("text", "")
    assert published.component is not None
    assert (published.component.name, published.component.version) == ("published", "2.0.0")
