"""Every kind of value through a real component and back. Whoever changes wasmtime's version runs this first."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import pytest_asyncio

from tests.integration.workers.pools import Pools, call, find_component, result
from wasmoor_runtime.ports import Verdict
from wasmoor_runtime.workers.pool import ProcessPool

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def pool(cache: Path) -> AsyncIterator[ProcessPool]:
    pools = Pools(cache)
    yield await pools.start(find_component("fixtures/echo"))
    await pools.close()


PERSON = {"name": "Ada 🦀", "age": 36, "nick-names": ["A", ""], "partner": None}

VALUES: list[tuple[str, Any]] = [
    ("echo-bool", True),
    ("echo-bool", False),
    ("echo-s8", -128),
    ("echo-s16", -32768),
    ("echo-s32", -2147483648),
    ("echo-s64", -9007199254740991),
    ("echo-s64", "-9223372036854775808"),
    ("echo-s64", "9223372036854775807"),
    ("echo-u8", 255),
    ("echo-u16", 65535),
    ("echo-u32", 4294967295),
    ("echo-u64", 9007199254740991),
    ("echo-u64", "18446744073709551615"),
    ("echo-f32", 0.5),
    ("echo-f32", "NaN"),
    ("echo-f64", -0.1),
    ("echo-f64", "Infinity"),
    ("echo-f64", "-Infinity"),
    ("echo-f64", 1.7976931348623157e308),
    ("echo-char", "🦀"),
    ("echo-char", "\x00"),
    ("echo-string", ""),
    ("echo-string", 'a\x00"\\\n\u2028🦀'),
    ("echo-bytes", ""),
    ("echo-bytes", "AP8="),
    ("echo-strings", []),
    ("echo-strings", ["", "x"]),
    ("echo-matrix", [[], [1.0, 2.5], [-0.0]]),
    ("echo-person", PERSON),
    ("echo-person", PERSON | {"partner": "Charles"}),
    ("echo-tuple", ["a", 1, True]),
    ("echo-shape", {"tag": "point"}),
    ("echo-shape", {"tag": "circle", "val": 1.5}),
    ("echo-shape", {"tag": "polygon", "val": [[1, -2], [3, 4]]}),
    ("echo-shape", {"tag": "named", "val": PERSON}),
    ("echo-color", "light-blue"),
    ("echo-permissions", []),
    ("echo-permissions", ["read", "run-as-root"]),
    ("echo-option", None),
    ("echo-option", 7),
    ("echo-nested-option", None),
    ("echo-nested-option", {"some": None}),
    ("echo-nested-option", {"some": 7}),
]


@pytest.mark.parametrize(("function", "value"), VALUES, ids=lambda each: json.dumps(each)[:40])
async def test_a_value_comes_back_as_it_went_and_fits_its_schemas(pool: ProcessPool, function: str, value: Any) -> None:
    described = next(each for each in pool.functions if each.id == function)
    jsonschema.validate({"value": value}, dict(described.input_schema))

    returned = result(await call(pool, function, value=value))

    assert returned == value
    jsonschema.validate({"result": returned}, dict(described.output_schema))


EVERYTHING = {
    "shape": {"tag": "circle", "val": 0.25},
    "color": "green",
    "permissions": ["write"],
    "outcome": {"tag": "err", "val": "no"},
    "done": {"tag": "ok"},
    "maybe": {"some": None},
    "data": base64.b64encode(bytes(range(256))).decode(),
}


async def test_everything_nested_comes_back(pool: ProcessPool) -> None:
    assert result(await call(pool, "echo-everything", value=EVERYTHING)) == EVERYTHING


@pytest.mark.parametrize(
    ("function", "value", "verdict", "payload"),
    [
        ("echo-result", {"tag": "ok", "val": 1}, Verdict.OK, {"result": 1}),
        ("echo-result", {"tag": "err", "val": "e"}, Verdict.COMPONENT_ERROR, {"error": "e"}),
        ("echo-same-result", {"tag": "ok", "val": "a"}, Verdict.OK, {"result": "a"}),
        ("echo-same-result", {"tag": "err", "val": "a"}, Verdict.COMPONENT_ERROR, {"error": "a"}),
        ("echo-empty-result", {"tag": "ok"}, Verdict.OK, {"result": None}),
        ("echo-empty-result", {"tag": "err"}, Verdict.COMPONENT_ERROR, {"error": None}),
    ],
)
async def test_a_result_at_the_top_decides_how_the_call_ended(
    pool: ProcessPool, function: str, value: Any, verdict: Verdict, payload: Any
) -> None:
    outcome = await call(pool, function, value=value)

    assert (outcome.verdict, json.loads(outcome.payload)) == (verdict, payload)


async def test_a_function_without_a_result_returns_null(pool: ProcessPool) -> None:
    assert result(await call(pool, "nothing")) is None


@pytest.mark.parametrize("size", [60_000, 65_000, 66_000, 3_000_000], ids=str)
async def test_large_bodies_pass_both_ways(pool: ProcessPool, size: int) -> None:
    data = base64.b64encode(os.urandom(size * 3 // 4)).decode()
    text = "x" * size

    assert result(await call(pool, "echo-bytes", value=data, timeout=30)) == data
    assert result(await call(pool, "echo-string", value=text, timeout=30)) == text
