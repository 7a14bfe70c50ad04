from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.wit.kinds import KINDS, documents
from wasmoor_runtime.wit import schema, types, values

OPTION = types.Option(types.String())


def test_arguments_are_a_closed_object_and_options_are_not_required() -> None:
    signature = types.Signature((types.Field("text", types.String()), types.Field("limit", OPTION)), types.Bool())

    assert schema.input_schema(signature) == {
        "type": "object",
        "properties": {
            "text": {"type": "string"},
            "limit": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["text"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("result", "inner"),
    [
        (types.Bool(), {"type": "boolean"}),
        (None, {"type": "null"}),
        (types.Result(types.U8, types.String()), {"type": "integer", "minimum": 0, "maximum": 255}),
        (types.Result(None, types.String()), {"type": "null"}),
    ],
)
def test_a_result_is_an_object_and_its_error_is_no_part_of_it(result: types.Type | None, inner: object) -> None:
    assert schema.output_schema(types.Signature((), result)) == {
        "type": "object",
        "properties": {"result": inner},
        "required": ["result"],
        "additionalProperties": False,
    }


def test_a_variant_lists_its_cases_by_tag() -> None:
    kind = types.Variant((types.Case("none", None), types.Case("one", types.Bool())))

    cases = schema.type_schema(kind)["anyOf"]

    assert [each["properties"]["tag"]["enum"] for each in cases] == [["none"], ["one"]]
    assert [each["required"] for each in cases] == [["tag"], ["tag", "val"]]


def test_a_tuple_is_an_array_of_fixed_length() -> None:
    tuple_schema = schema.type_schema(types.Tuple((types.Bool(), types.String(), types.Bool())))

    assert (tuple_schema["minItems"], tuple_schema["maxItems"]) == (3, 3)
    assert tuple_schema["items"] == {"anyOf": [{"type": "boolean"}, {"type": "string"}]}
    assert tuple_schema["description"] == "In this order: bool, string, bool."


def test_no_schema_uses_what_clients_refuse() -> None:
    everything = types.Record(
        (
            types.Field("a", types.Tuple((types.Integer(64, signed=False), types.Float(32)))),
            types.Field("b", types.Result(types.List(types.U8), types.Option(OPTION))),
            types.Field("c", types.Flags(("x", "y"))),
        )
    )

    text = str(schema.output_schema(types.Signature((), everything)))

    for refused in ("$ref", "$schema", "prefixItems", "const", "oneOf", "allOf"):
        assert f"'{refused}'" not in text


def test_a_type_without_a_json_form_has_no_schema() -> None:
    with pytest.raises(TypeError, match="no JSON form"):
        schema.type_schema(types.Unsupported("a stream"))


def test_an_unsupported_type_is_found_wherever_it_is() -> None:
    deep = types.List(types.Option(types.Result(None, types.Tuple((types.Unsupported("a stream"),)))))

    assert types.find_unsupported(types.Signature((types.Field("x", deep),), None)) == "it uses a stream"
    assert not types.find_unsupported(types.Signature((types.Field("x", OPTION),), OPTION))


def test_a_signature_reads_as_in_wit() -> None:
    signature = types.Signature(
        (types.Field("a", types.Integer(32, signed=True)), types.Field("b", types.List(OPTION))),
        types.Result(None, types.String()),
    )

    described = types.describe_signature("get-it", signature)

    assert described == "get-it(a: s32, b: list<option<string>>) -> result<_, string>"


@given(KINDS)
def test_every_type_has_a_valid_schema_without_what_some_clients_refuse(kind: types.Type) -> None:
    signature = types.Signature((types.Field("value", kind),), kind)
    rendered = [schema.input_schema(signature), schema.output_schema(signature)]

    for each in rendered:
        jsonschema.Draft202012Validator.check_schema(each)
        assert each["type"] == "object"
        assert each["additionalProperties"] is False
        assert "$ref" not in json.dumps(each)


@given(KINDS.flatmap(lambda kind: st.tuples(st.just(kind), documents(kind))))
def test_a_value_of_a_type_fits_its_schema_and_means_itself(drawn: tuple[types.Type, Any]) -> None:
    kind, document = drawn

    neutral = values.parse_value(document, kind)

    jsonschema.Draft202012Validator(schema.type_schema(kind)).validate(document)
    assert values.render_value(neutral, kind) == document


@pytest.mark.parametrize("kind", [types.Record(()), types.Tuple(()), types.Flags(())], ids=["record", "tuple", "flags"])
def test_what_holds_nothing_has_a_valid_schema_and_one_value(kind: types.Type) -> None:
    rendered = schema.type_schema(kind)
    document: Any = {} if isinstance(kind, types.Record) else []

    jsonschema.Draft202012Validator.check_schema(rendered)
    jsonschema.Draft202012Validator(rendered).validate(document)
    assert values.render_value(values.parse_value(document, kind), kind) == document
