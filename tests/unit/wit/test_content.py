from __future__ import annotations

from dataclasses import replace

import pytest

from wasmoor_runtime.wit import content, types

BLOCKS = types.List(content.BLOCK)


@pytest.mark.parametrize("result", [BLOCKS, types.Result(BLOCKS, types.String()), types.Result(BLOCKS, None)])
def test_a_function_that_returns_a_list_of_blocks_answers_with_content(result: types.Type) -> None:
    assert content.is_content(types.Signature((), result))


@pytest.mark.parametrize(
    "result",
    [
        None,
        content.BLOCK,
        types.List(types.String()),
        types.Option(BLOCKS),
        types.Result(types.String(), BLOCKS),
        types.List(replace(content.BLOCK, cases=content.BLOCK.cases[:-1])),
        types.List(replace(content.BLOCK, cases=(types.Case("words", types.String()), *content.BLOCK.cases[1:]))),
    ],
)
def test_everything_else_answers_with_a_value(result: types.Type | None) -> None:
    assert not content.is_content(types.Signature((), result))
