"""A pod whose policy names advisories: it waits for them, and says so."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.integration.mcp import pods
from wasmoor_runtime.contract.document import ArtifactRules, Contract
from wasmoor_runtime.contract.spec import AdvisoriesRef

RULES = ArtifactRules(advisories=AdvisoriesRef(name="osv", key="advisories.json"))


async def test_a_pod_serves_once_the_advisories_that_its_policy_names_are_there(tmp_path: Path) -> None:
    path = pods.write_contract(tmp_path, "sleep", {})
    contract = Contract.model_validate_json(path.read_bytes()).model_copy(update={"artifacts": RULES})
    path.write_text(contract.to_json(), "utf-8")
    mounted = tmp_path / "advisories"
    mounted.mkdir()
    waited: list[str] = []

    async def create_once_it_is_missed() -> None:
        while not waited:
            await asyncio.sleep(0.05)
            logged = "".join(log.read_text("utf-8") for log in tmp_path.glob("pod-*.log"))
            waited.extend(line for line in logged.splitlines() if "PolicyInvalid" in line and line.endswith("}"))
        (mounted / "advisories.json").write_text("[]", "utf-8")

    creating = asyncio.create_task(create_once_it_is_missed())
    async with pods.run_pod(tmp_path, path, "--advisories", str(mounted)) as pod:
        await creating
        status = await pod.status()

    assert "there is no key advisories.json of it" in waited[0]
    assert status.ready
    assert status.component is not None
    assert (status.component.name, status.component.exports) == ("sleep", ("sleep",))
