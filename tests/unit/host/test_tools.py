from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.fakes.parts import make_function
from wasmoor_runtime.contract.spec import ToolAnnotations, ToolOverride, Tools
from wasmoor_runtime.contract.status import Reason
from wasmoor_runtime.errors import Stalled
from wasmoor_runtime.host.tools import decide_tools, hash_tools

FUNCTIONS = (make_function("get_time"), make_function("get_zone"), make_function("set_time"))


def names(wanted: Tools) -> list[str]:
    return [tool.name for tool in decide_tools(FUNCTIONS, wanted).tools]


def test_all_functions_are_served_when_nothing_is_said() -> None:
    assert names(Tools()) == ["get_time", "get_zone", "set_time"]


def test_include_and_exclude_are_patterns_and_exclude_wins() -> None:
    assert names(Tools(include=("get_*",))) == ["get_time", "get_zone"]
    assert names(Tools(include=("get_*",), exclude=("*_zone",))) == ["get_time"]
    assert names(Tools(include=("?et_time",))) == ["get_time", "set_time"]


def test_a_function_can_be_named_as_it_is_exported() -> None:
    assert names(Tools(include=("get-time",))) == ["get_time"]


def test_a_bracket_in_a_pattern_is_a_bracket() -> None:
    with pytest.raises(Stalled) as caught:
        decide_tools(FUNCTIONS, Tools(include=("[gs]et_time",)))
    assert caught.value.reason == Reason.NO_TOOLS


def test_an_override_changes_what_clients_are_told() -> None:
    override = ToolOverride(
        name="get_time", title="Time", description="Now.", annotations=ToolAnnotations(read_only_hint=True)
    )
    tool = decide_tools(FUNCTIONS, Tools(overrides=(override,))).tools[0]
    assert (tool.title, tool.description) == ("Time", "Now.")
    assert tool.annotations is not None
    assert tool.annotations.read_only_hint is True
    assert tool.function == "get-time"


def test_an_override_of_no_tool_and_an_include_of_nothing_are_told() -> None:
    wanted = Tools(include=("get_*", "list_*"), overrides=(ToolOverride(name="nope", description="x"),))
    selection = decide_tools(FUNCTIONS, wanted)
    assert [tool.name for tool in selection.tools] == ["get_time", "get_zone"]
    include, override = selection.notes
    assert include == (
        "spec.tools.include: 'list_*' matches no exported function; exported are get_time, get_zone, set_time"
    )
    assert override.startswith("spec.tools.overrides: 'nope' is no tool of this component")


def test_an_unsupported_function_is_told_and_the_others_are_served() -> None:
    odd = make_function("stream_it", unsupported="it takes a stream")
    selection = decide_tools((*FUNCTIONS, odd), Tools())
    assert [(entry.name, entry.reason) for entry in selection.unserved] == [("stream_it", "it takes a stream")]
    assert len(selection.tools) == 3


@pytest.mark.parametrize(
    ("functions", "wanted", "words"),
    [
        ((), Tools(), "exports no functions"),
        (FUNCTIONS, Tools(include=("x*",)), "spec.tools.include and exclude leave none"),
        (FUNCTIONS, Tools(exclude=("*",)), "spec.tools.exclude leaves none of the exported functions: get_time"),
        ((make_function("s", unsupported="it takes a stream"),), Tools(), "s: it takes a stream"),
    ],
)
def test_nothing_to_serve_is_no_tools(functions: tuple[object, ...], wanted: Tools, words: str) -> None:
    with pytest.raises(Stalled, match=words) as caught:
        decide_tools(functions, wanted)  # type: ignore[arg-type]
    assert caught.value.reason == Reason.NO_TOOLS


def test_two_functions_with_one_name_conflict_until_one_is_excluded() -> None:
    twins = (make_function("run", id="a:b/c#run"), make_function("run", id="x:y/z#run"))
    with pytest.raises(Stalled, match="a:b/c#run, x:y/z#run would all be the tool 'run'") as caught:
        decide_tools(twins, Tools())
    assert caught.value.reason == Reason.TOOL_NAME_CONFLICT
    assert [t.function for t in decide_tools(twins, Tools(exclude=("x:y/*",))).tools] == ["a:b/c#run"]


def test_a_rename_is_what_clients_see_and_nothing_else_changes() -> None:
    wanted = Tools(exclude=("set_time",), overrides=(ToolOverride(name="get-time", rename="now"),))
    selection = decide_tools(FUNCTIONS, wanted)
    assert [(tool.name, tool.function) for tool in selection.tools] == [("now", "get-time"), ("get_zone", "get-zone")]
    assert selection.notes == ()


def test_patterns_name_functions_as_they_are_exported_and_not_as_they_are_renamed() -> None:
    renamed = (ToolOverride(name="get_time", rename="now"),)
    assert names(Tools(include=("get_time",), overrides=renamed)) == ["now"]
    with pytest.raises(Stalled):
        decide_tools(FUNCTIONS, Tools(include=("now",), overrides=renamed))


def test_a_rename_makes_and_mends_conflicts() -> None:
    twins = (make_function("run", id="a:b/c#run"), make_function("run", id="x:y/z#run"))
    mended = decide_tools(twins, Tools(overrides=(ToolOverride(name="x:y/z#run", rename="run-z"),)))
    assert [tool.name for tool in mended.tools] == ["run", "run-z"]
    with pytest.raises(Stalled, match="get-time, get-zone would all be the tool 'get_zone'"):
        decide_tools(FUNCTIONS, Tools(overrides=(ToolOverride(name="get_time", rename="get_zone"),)))


@pytest.mark.parametrize("name", ["", "a.b", "a b", "ä", "x" * 65, "a\n"])
def test_a_rename_that_clients_would_not_take_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        ToolOverride(name="get_time", rename=name)


def test_the_hash_follows_names_descriptions_and_schemas_and_not_the_order() -> None:
    before = decide_tools(FUNCTIONS, Tools()).tools
    assert hash_tools(before) == hash_tools(reversed(before))
    assert hash_tools(before).startswith("sha256:")
    described = decide_tools(FUNCTIONS, Tools(overrides=(ToolOverride(name="get_time", description="Now."),))).tools
    changed = decide_tools((*FUNCTIONS[:2], make_function("set_time", input_schema={"type": "object"})), Tools()).tools
    assert len({hash_tools(before), hash_tools(described), hash_tools(changed), hash_tools(before[:2])}) == 4
