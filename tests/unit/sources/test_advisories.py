from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.parts import make_contract
from wasmoor_runtime.contract.document import ArtifactRules, Contract
from wasmoor_runtime.contract.spec import AdvisoriesRef
from wasmoor_runtime.errors import Waiting
from wasmoor_runtime.ports import AdvisorySource
from wasmoor_runtime.sources.advisories import ListedAdvisories, MountedAdvisories


def contract(key: str = "advisories.json") -> Contract:
    rules = ArtifactRules(advisories=AdvisoriesRef(name="osv", key=key))
    return make_contract().model_copy(update={"artifacts": rules})


@pytest.mark.parametrize("kind", ["mounted", "listed"])
async def test_the_document_is_read_once_it_is_there(tmp_path: Path, kind: str) -> None:
    listed: dict[str, dict[str, bytes]] = {}
    source: AdvisorySource = MountedAdvisories(tmp_path) if kind == "mounted" else ListedAdvisories(listed)

    with pytest.raises(Waiting, match=r"ConfigMap osv, and there is no key advisories\.json of it") as raised:
        await source.read(contract())
    (tmp_path / "advisories.json").write_bytes(b"[]")
    listed["osv"] = {"advisories.json": b"[]"}

    assert raised.value.reason == "PolicyInvalid"
    assert await source.read(contract()) == b"[]"


async def test_a_key_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "advisories.json").write_bytes(b"[]")

    with pytest.raises(Waiting, match=r"other\.json"):
        await MountedAdvisories(tmp_path).read(contract("other.json"))
