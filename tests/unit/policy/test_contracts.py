"""The contract that follows from a manifest."""

import pytest

from wasmoor_runtime import errors
from wasmoor_runtime.contract.document import ComponentRef, Contract
from wasmoor_runtime.contract.spec import Execution, OciSource, Tools
from wasmoor_runtime.policy import contracts, selection

DIGEST = "sha256:" + "a" * 64


def render(reference: str = "ghcr.io/a/b:1", pulls: contracts.PullSettings | None = None) -> Contract:
    return contracts.render_contract(
        component=ComponentRef(namespace="tools", name="time"),
        source=OciSource(reference=reference, refresh="10m", insecure=True),
        digest=DIGEST,
        policy=selection.Selection(),
        tools=Tools(include=("get-*",)),
        execution=Execution(timeout="1s"),
        pulls=pulls,
    )


def test_a_contract_holds_what_the_pod_needs() -> None:
    contract = render()
    assert contract.source.digest == DIGEST
    assert contract.source.insecure is True
    assert contract.tools.include == ("get-*",)
    assert contract.limits.timeout_seconds == 1.0


def test_a_mirror_is_for_its_registry_alone() -> None:
    pulls = contracts.PullSettings(mirrors={"ghcr.io": "http://mirror:5000"}, max_bytes=10)
    assert render("ghcr.io/a/b:1", pulls).source.mirror == "http://mirror:5000"
    assert render("quay.io/a/b:1", pulls).source.mirror is None
    assert render(pulls=pulls).source.max_bytes == 10


def test_the_registry_of_a_short_name_is_docker_hub() -> None:
    pulls = contracts.PullSettings(mirrors={"docker.io": "http://mirror:5000"})
    assert render("team/time:1", pulls).source.mirror == "http://mirror:5000"


def test_what_is_no_reference_never_reaches_a_pod() -> None:
    with pytest.raises(errors.Stalled) as caught:
        render("no reference")
    assert caught.value.reason == "ReferenceInvalid"
