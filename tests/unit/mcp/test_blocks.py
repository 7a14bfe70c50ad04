from __future__ import annotations

import json
from typing import Any

import pytest

from wasmoor_runtime.mcp import answers, blocks, results
from wasmoor_runtime.ports import Outcome, Verdict

VALUES: list[Any] = [
    {"tag": "text", "val": "hello"},
    {"tag": "image", "val": {"data": "AAE=", "mime-type": "image/png"}},
    {"tag": "audio", "val": {"data": "AAE=", "mime-type": "audio/wav"}},
    {"tag": "text-resource", "val": {"uri": "test://a", "mime-type": "text/plain", "text": "a"}},
    {"tag": "blob-resource", "val": {"uri": "test://b", "mime-type": None, "data": "AAE="}},
]
BLOCKS = [
    {"type": "text", "text": "hello"},
    {"type": "image", "data": "AAE=", "mimeType": "image/png"},
    {"type": "audio", "data": "AAE=", "mimeType": "audio/wav"},
    {"type": "resource", "resource": {"uri": "test://a", "mimeType": "text/plain", "text": "a"}},
    {"type": "resource", "resource": {"uri": "test://b", "blob": "AAE="}},
]


def test_every_kind_of_block_becomes_its_block_of_the_protocol() -> None:
    assert list(blocks.render_blocks(VALUES)) == BLOCKS


@pytest.mark.parametrize("value", [None, 5, "text", [5], [{}], [{"tag": "video", "val": 1}], [{"tag": "image"}]])
def test_what_is_no_block_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="no blocks"):
        blocks.render_blocks(value)


def test_a_tool_that_answers_with_content_has_nothing_structured() -> None:
    outcome = Outcome(verdict=Verdict.OK, payload=json.dumps({"result": VALUES}).encode())
    result = results.render_answer(answers.decide_answer(outcome, content=True))
    document = result.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert document["content"] == BLOCKS
    assert "structuredContent" not in document
    assert document["isError"] is False


@pytest.mark.parametrize("payload", [b"5", b'{"result": 5}', b"{}", b"\xff"])
def test_content_that_cannot_be_read_is_an_error_result(payload: bytes) -> None:
    answer = answers.decide_answer(Outcome(verdict=Verdict.OK, payload=payload), content=True)
    assert (answer.verdict, answer.blocks) == (Verdict.CRASHED, None)
