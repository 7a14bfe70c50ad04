from __future__ import annotations

import pytest

from wasmoor_runtime.wit import names


@pytest.mark.parametrize(
    ("interface", "function", "identity", "name"),
    [
        (None, "get-time", "get-time", "get-time"),
        ("acme:clock/api@1.0.0", "get-time", "acme:clock/api@1.0.0#get-time", "api_get-time"),
        ("acme:clock/api", "now", "acme:clock/api#now", "api_now"),
        ("api", "now", "api#now", "api_now"),
    ],
)
def test_a_tool_is_named_after_its_function_and_the_short_name_of_its_interface(
    interface: str | None, function: str, identity: str, name: str
) -> None:
    assert names.function_id(interface, function) == identity
    assert names.tool_name(identity) == name
    assert not names.find_unfit(name)


@pytest.mark.parametrize("interface", ["exports", "wasi:cli/run@0.2.0", "wasi:http/incoming-handler@0.2.0"])
def test_interfaces_for_hosts_and_toolchains_hold_no_tools(interface: str) -> None:
    assert not names.is_tool_interface(interface)


@pytest.mark.parametrize("name", ["a" * 65, "a.b", "", "api_[method]thing.go", "[constructor]thing"])
def test_a_name_that_clients_refuse_is_unfit(name: str) -> None:
    assert names.find_unfit(name)
