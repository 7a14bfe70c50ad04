"""What a component says of its progress, from a real guest through a real worker."""

from __future__ import annotations

import json

from tests.integration.workers.pools import SECONDS, Pools, call, find_component, result
from wasmoor_runtime.engine import reports
from wasmoor_runtime.ports import Step, Verdict

CONFORMANCE = find_component("fixtures/conformance")


async def test_steps_come_in_order_while_the_call_runs(pools: Pools) -> None:
    pool = await pools.start(CONFORMANCE)
    heard: list[Step] = []
    outcome = await pool.call("test-tool-with-progress", b"{}", timeout=SECONDS, report=heard.append)
    assert outcome.verdict == Verdict.OK
    assert heard == [Step(progress=each, total=100.0, message=f"{each:.0f} of 100") for each in (0.0, 50.0, 100.0)]


async def test_a_call_that_nobody_listens_to_does_the_same_work(pools: Pools) -> None:
    pool = await pools.start(CONFORMANCE)
    assert result(await call(pool, "report-often", times=1000)) == 1000


async def test_a_guest_that_reports_without_a_pause_is_bounded(pools: Pools) -> None:
    pool = await pools.start(CONFORMANCE)
    heard: list[Step] = []
    arguments = json.dumps({"times": 100_000}).encode()
    outcome = await pool.call("report-often", arguments, timeout=SECONDS, report=heard.append)
    assert outcome.verdict == Verdict.OK
    assert reports.BURST <= len(heard) <= reports.BURST + outcome.seconds / reports.SECONDS_PER_REPORT + 1


async def test_only_functions_that_return_blocks_answer_with_content(pools: Pools) -> None:
    pool = await pools.start(CONFORMANCE)
    shown = {function.name for function in pool.functions if function.content}
    assert shown == {
        "test-image-content",
        "test-audio-content",
        "test-embedded-resource",
        "test-embedded-blob",
        "test-multiple-content-types",
        "test-tool-with-progress",
    }
    assert len(pool.functions) == 11
