"""Any value of any type survives the way through a real component and back, and fits the schemas that clients see."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.engine.echoes import PADDING, Echo
from tests.unit.wit.kinds import KINDS, SCALARS, documents
from wasmoor_runtime.ports import Verdict
from wasmoor_runtime.wit import types

pytestmark = pytest.mark.integration

DRAFT = jsonschema.Draft202012Validator
SLOW = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))


def check_round_trip(echo: Echo, index: int, document: Any) -> None:
    """Send a value and compare what comes back, by value and by the schemas."""
    function = echo.functions[index]
    arguments = {"value": document, "padding": PADDING}
    DRAFT(dict(function.input_schema)).validate(arguments)

    outcome = echo.call(index, json.dumps(arguments))

    assert outcome.verdict == Verdict.OK, outcome.message
    answer = json.loads(outcome.payload)
    assert answer == {"result": [document, PADDING]}
    DRAFT(dict(function.output_schema)).validate(answer)


@SLOW
@given(st.data())
def test_any_value_of_any_type_comes_back_as_it_went_and_fits_its_schemas(data: st.DataObject) -> None:
    kinds = data.draw(st.lists(KINDS, min_size=1, max_size=4))
    echo = Echo(kinds)
    assert [export.signature.parameters[0].type for export in echo.exports] == kinds
    for function in echo.functions:
        assert not function.unsupported
        DRAFT.check_schema(dict(function.input_schema))
        DRAFT.check_schema(dict(function.output_schema))
    for index, kind in enumerate(kinds):
        for document in data.draw(st.lists(documents(kind), min_size=1, max_size=5)):
            check_round_trip(echo, index, document)


@pytest.fixture(scope="module")
def scalars() -> Echo:
    return Echo([*SCALARS, *(types.Option(types.Option(types.Option(kind))) for kind in SCALARS)])


@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_scalar_comes_back_alone_and_inside_options(scalars: Echo, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, 2 * len(SCALARS) - 1))
    kind = scalars.exports[index].signature.parameters[0].type

    check_round_trip(scalars, index, data.draw(documents(kind)))


BOUNDS = [
    (types.Integer(64, signed=True), -(2**63)),
    (types.Integer(64, signed=True), 2**63 - 1),
    (types.Integer(64, signed=True), 2**53),
    (types.Integer(64, signed=True), -(2**53)),
    (types.Integer(64, signed=False), 2**64 - 1),
    (types.Integer(64, signed=False), 2**53 - 1),
]


@pytest.mark.parametrize(("kind", "number"), BOUNDS)
def test_64_bits_are_kept_beyond_what_a_double_holds_written_as_a_number_or_as_a_string(
    scalars: Echo, kind: types.Integer, number: int
) -> None:
    index = SCALARS.index(kind)
    expected = str(number) if abs(number) > 2**53 - 1 else number

    for written in (number, str(number)):
        outcome = scalars.call(index, json.dumps({"value": written, "padding": PADDING}))

        assert json.loads(outcome.payload)["result"][0] == expected


@pytest.mark.parametrize("text", ['"\\ud800"', '"a\\udfffb"'])
@pytest.mark.parametrize("kind", [types.Char(), types.String()])
def test_half_a_surrogate_pair_is_refused(scalars: Echo, kind: types.Type, text: str) -> None:
    outcome = scalars.call(SCALARS.index(kind), f'{{"value": {text}, "padding": {PADDING}}}')

    assert outcome.verdict == Verdict.INVALID_ARGUMENTS
    assert "/value" in outcome.message


@pytest.mark.parametrize("kind", SCALARS, ids=types.describe)
def test_a_value_of_another_type_is_refused_with_its_place(scalars: Echo, kind: types.Type) -> None:
    outcome = scalars.call(SCALARS.index(kind), json.dumps({"value": [None], "padding": PADDING}))

    assert outcome.verdict == Verdict.INVALID_ARGUMENTS
    assert outcome.message.startswith("/value: expected ")
