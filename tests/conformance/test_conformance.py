"""The official conformance suite against a real pod with a real component.

`expected-REVISION.yml` lists what a server of tools cannot be asked, each with its reason; the suite itself fails for
what fails and is not there, and for what is there and does not fail.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conformance import servers, suite

# What tools-only servers can be asked, so that no entry in a list of exceptions can ever excuse it.
ASKED = {
    "2026-07-28": {
        "server-stateless", "tools-list", "tools-call-simple-text", "tools-call-image", "tools-call-audio",
        "tools-call-embedded-resource", "tools-call-mixed-content", "tools-call-error", "tools-call-with-progress",
        "server-sse-multiple-streams", "dns-rebinding-protection", "caching", "http-header-validation",
        "input-required-result-unsupported-methods", "input-required-result-validate-input",
    },
    "2025-11-25": {
        "server-initialize", "ping", "tools-list", "tools-call-simple-text", "tools-call-image", "tools-call-audio",
        "tools-call-embedded-resource", "tools-call-mixed-content", "tools-call-error", "tools-call-with-progress",
        "dns-rebinding-protection",
    },
}  # fmt: skip

_ENTRY = re.compile(r"^  - (?P<scenario>[\w-]+)(?P<check>:[\w-]+)? +# (?P<reason>.{10,})$")


@pytest.mark.parametrize("revision", suite.REVISIONS)
@pytest.mark.parametrize("option", ["--fast-path", "--no-fast-path"])
async def test_a_pod_passes_all_that_a_server_of_tools_can_be_asked(option: str, revision: str, tmp_path: Path) -> None:
    output = tmp_path / "results"
    async with servers.run_fixture(tmp_path, option) as pod:
        run = await suite.run_suite(pod.url, revision, output)
    assert run.code == 0, run.text[-6000:]
    checks = suite.read_checks(output)
    assert ASKED[revision] <= checks.keys()
    excused = {check.removeprefix(":") for _, check in _read_entries(revision)}
    failed = {
        f"{scenario}: {check}"
        for scenario in ASKED[revision]
        for check, status in checks[scenario].items()
        if status == "FAILURE" and check not in excused
    }
    assert failed == set()


@pytest.mark.parametrize("revision", suite.REVISIONS)
async def test_a_machine_without_kubernetes_passes_the_same(revision: str, tmp_path: Path) -> None:
    with servers.serve_fixture(tmp_path) as url:
        run = await suite.run_suite(url, revision, tmp_path / "results")
    assert run.code == 0, run.text[-6000:]


@pytest.mark.parametrize("revision", suite.REVISIONS)
def test_every_exception_has_a_reason_and_none_is_a_scenario_that_can_be_asked(revision: str) -> None:
    entries = _read_entries(revision)
    assert len(entries) > 10
    assert {scenario for scenario, check in entries if not check} & ASKED[revision] == set()


def _read_entries(revision: str) -> list[tuple[str, str]]:
    """Return scenario and check of every exception; a line without a reason fails."""
    lines = (suite.HERE / f"expected-{revision}.yml").read_text("utf-8").splitlines()
    entries = [line for line in lines if line.startswith("  -")]
    parsed = [_ENTRY.match(line) for line in entries]
    assert [line for line, match in zip(entries, parsed, strict=True) if match is None] == []
    return [(match["scenario"], match["check"] or "") for match in parsed if match]
