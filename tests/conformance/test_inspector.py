"""The Inspector, an independent client, has nothing to say against what the examples list."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conformance import servers, suite

EXAMPLES = ("math", "text", "stats", "convert")
ERAS = ("modern", "legacy")
CALLS = {
    "math": ("add", ("a=2", "b=3")),
    "text": ("slugify", ("text=Hello World",)),
    "stats": ("summarize", ("numbers=[1, 2, 3]",)),
    "convert": ("parse-url", ("url=https://example.com/a",)),
}


@pytest.mark.parametrize("example", EXAMPLES)
async def test_the_inspector_finds_nothing_in_an_example(example: str, tmp_path: Path) -> None:
    async with servers.run_component(example, tmp_path) as pod:
        for era in ERAS:
            listed = await suite.run_inspector(pod.url, era, "--method", "tools/list", "--strict")
            assert listed.code == 0, listed.text
            assert len(json.loads(listed.text)["tools"]) >= 3
            assert "warning" not in listed.text.lower()
            tool, arguments = CALLS[example]
            words = [word for argument in arguments for word in ("--tool-arg", argument)]
            called = await suite.run_inspector(pod.url, era, "--method", "tools/call", "--tool-name", tool, *words)
            assert called.code == 0, called.text
            assert not json.loads(called.text).get("isError")


async def test_the_inspector_finds_nothing_in_tools_that_answer_with_content(tmp_path: Path) -> None:
    async with servers.run_fixture(tmp_path) as pod:
        listed = await suite.run_inspector(pod.url, "modern", "--method", "tools/list", "--strict")
    assert listed.code == 0, listed.text
