"""What a running component says of itself."""

import dataclasses
from pathlib import Path

import pytest

from wasmoor_runtime.contract.document import ComponentRef
from wasmoor_runtime.contract.status import MemoryStatus, WorkerStatus
from wasmoor_runtime.host.state import State, explain_running, render_status
from wasmoor_runtime.host.tools import Selection
from wasmoor_runtime.ports import Blob

POLICY = "sha256:" + "c" * 64
BLOB = Blob(path=Path("/b"), digest="sha256:1", manifest_digest="sha256:2", media_type="application/wasm", size=8)
CARRYING = dataclasses.replace(BLOB, policy_digest=POLICY)


@pytest.mark.parametrize(
    ("blob", "told"),
    [
        (None, "0 tools can be called"),
        (BLOB, "0 tools can be called"),
        (CARRYING, "0 tools can be called; the policy that the artifact carries is not applied"),
    ],
)
def test_a_policy_that_an_artifact_carries_is_said_not_to_be_applied(blob: Blob | None, told: str) -> None:
    assert explain_running(Selection(tools=(), unserved=(), notes=()), blob) == told


@pytest.mark.parametrize(("blob", "digest"), [(BLOB, None), (CARRYING, POLICY)])
def test_the_status_names_it_where_there_is_one(blob: Blob, digest: str | None) -> None:
    status = render_status(
        ComponentRef(namespace="tools", name="text"), State(blob=blob), WorkerStatus(), MemoryStatus()
    )
    assert status.artifact is not None
    assert status.artifact.policy_digest == digest
