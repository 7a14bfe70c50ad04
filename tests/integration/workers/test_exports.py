"""What a component's exports become: names, unsupported functions, conflicts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.workers.pools import Pools, assemble, call, result
from wasmoor_runtime.contract.spec import Tools
from wasmoor_runtime.errors import Stalled
from wasmoor_runtime.host.tools import decide_tools
from wasmoor_runtime.ports import Verdict

pytestmark = pytest.mark.integration

CORE = """
  (core module $m
    (memory (export "memory") 1)
    (func (export "one") (result i32) (i32.const 1))
    (func (export "drop") (param i32)))
  (core instance $i (instantiate $m))
  (func $one (result u32) (canon lift (core func $i "one")))
"""


def interface(name: str, *functions: str) -> str:
    """Return an exported instance whose functions all return 1."""
    items = " ".join(f'(export "{function}" (func $one))' for function in functions)
    label = "$" + "".join(each if each.isalnum() else "-" for each in name)
    return f'(instance {label} {items}) (export "{name}" (instance {label}))'


async def test_functions_of_interfaces_carry_its_short_name(pools: Pools, tmp_path: Path) -> None:
    exports = interface("acme:clock/api@1.0.0", "get-time", "get-zone")
    pool = await pools.start(assemble(tmp_path, f'(component {CORE} {exports} (export "plain" (func $one)))'))

    names = {each.id: each.name for each in pool.functions}

    assert names == {
        "acme:clock/api@1.0.0#get-time": "api_get-time",
        "acme:clock/api@1.0.0#get-zone": "api_get-zone",
        "plain": "plain",
    }
    assert result(await call(pool, "acme:clock/api@1.0.0#get-time")) == 1


async def test_interfaces_for_hosts_and_toolchains_are_no_tools(pools: Pools, tmp_path: Path) -> None:
    exports = interface("exports", "init") + interface("wasi:http/imaginary@0.2.0", "run") + interface("a:b/c", "go")
    pool = await pools.start(assemble(tmp_path, f"(component {CORE} {exports})"))

    assert [each.name for each in pool.functions] == ["c_go"]


async def test_two_tools_of_one_name_are_a_conflict_that_names_both_and_exclude_settles(
    pools: Pools, tmp_path: Path
) -> None:
    exports = interface("acme:a/api@1.0.0", "go") + interface("acme:b/api@1.0.0", "go")
    pool = await pools.start(assemble(tmp_path, f"(component {CORE} {exports})"))

    with pytest.raises(Stalled, match=r"acme:a/api@1\.0\.0#go, acme:b/api@1\.0\.0#go") as raised:
        decide_tools(pool.functions, Tools())
    settled = decide_tools(pool.functions, Tools(exclude=("acme:b/*",)))

    assert raised.value.reason == "ToolNameConflict"
    assert [tool.function for tool in settled.tools] == ["acme:a/api@1.0.0#go"]


async def test_a_function_with_a_resource_is_listed_with_the_reason_and_the_rest_is_served(
    pools: Pools, tmp_path: Path
) -> None:
    text = f"""
    (component {CORE}
      (type $thing (resource (rep i32)))
      (export $exported "thing" (type $thing))
      (core func $new (canon resource.new $thing))
      (core module $n (import "h" "new" (func $new (param i32) (result i32)))
        (func (export "make") (result i32) (call $new (i32.const 7))))
      (core instance $h (export "new" (func $new)))
      (core instance $j (instantiate $n (with "h" (instance $h))))
      (func $make (result (own $exported)) (canon lift (core func $j "make")))
      (export "make" (func $make))
      (export "plain" (func $one)))
    """
    pool = await pools.start(assemble(tmp_path, text))

    unsupported = {each.name: each.unsupported for each in pool.functions}

    assert unsupported == {"make": "it uses a resource, which has no JSON form", "plain": ""}
    assert result(await call(pool, "plain")) == 1
    refused = await call(pool, "make")
    assert refused.verdict == Verdict.INVALID_ARGUMENTS


async def test_types_that_would_take_megabytes_to_describe_make_their_function_unsupported(
    pools: Pools, tmp_path: Path
) -> None:
    # Each tuple holds the one before it eight times: 8^6 types written out.
    types = "(type $t0 (tuple u8 u8 u8 u8 u8 u8 u8 u8))" + "".join(
        f"(type $t{level} (tuple {' '.join([f'$t{level - 1}'] * 8)}))" for level in range(1, 6)
    )
    text = f"""
    (component {CORE} {types}
      (core module $n (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable)
        (func (export "take") (param i32)))
      (core instance $j (instantiate $n))
      (func (export "take") (param "x" $t5)
        (canon lift (core func $j "take") (memory (core memory $j "memory")) (realloc (core func $j "realloc"))))
      (export "plain" (func $one)))
    """
    pool = await pools.start(assemble(tmp_path, text))

    described = {each.name: each for each in pool.functions}

    assert "too large" in described["take"].unsupported
    assert len(str(described["take"])) < 10_000
    assert result(await call(pool, "plain")) == 1
