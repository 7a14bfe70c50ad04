from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import pytest

from tests.integration.workers.pools import assemble, describe_blob, find_component
from wasmoor_runtime.capabilities import catalog
from wasmoor_runtime.contract.document import CallLimits
from wasmoor_runtime.engine.compiler import ProcessCompiler
from wasmoor_runtime.errors import Stalled, Waiting
from wasmoor_runtime.storage import holds
from wasmoor_runtime.storage.space import Space
from wasmoor_runtime.workers.pool import ProcessPoolStarter

pytestmark = pytest.mark.integration


def make_compiler(directory: Path) -> ProcessCompiler:
    return ProcessCompiler(directory, provided=catalog.PROVIDED)


async def test_compiled_code_is_made_once_and_found_again(tmp_path: Path) -> None:
    blob, limits = describe_blob(find_component("math")), CallLimits()

    first = await make_compiler(tmp_path).compile(blob, limits, timeout=60)
    made = first.stat().st_ino
    second = await make_compiler(tmp_path).compile(blob, limits, timeout=60)

    assert (second, second.stat().st_ino) == (first, made)


async def test_other_limits_that_change_the_code_have_code_of_their_own(tmp_path: Path) -> None:
    blob, compiler = describe_blob(find_component("math")), make_compiler(tmp_path)

    plain = await compiler.compile(blob, CallLimits(), timeout=60)
    metered = await compiler.compile(blob, CallLimits(fuel=1000), timeout=60)
    same = await compiler.compile(blob, CallLimits(fuel=2000, memory_bytes=1 << 20), timeout=60)

    assert plain != metered
    assert same == metered


@pytest.mark.parametrize("damage", [b"", b"damaged"], ids=["truncated", "overwritten"])
async def test_a_damaged_entry_is_compiled_again(tmp_path: Path, damage: bytes) -> None:
    blob, compiler = describe_blob(find_component("math")), make_compiler(tmp_path)
    path = await compiler.compile(blob, CallLimits(), timeout=60)
    intact = path.read_bytes()
    path.write_bytes(damage)

    again = await compiler.compile(blob, CallLimits(), timeout=60)

    assert again.read_bytes() == intact


async def test_code_that_does_not_load_is_removed_so_that_the_next_try_compiles_it(tmp_path: Path) -> None:
    blob, limits = describe_blob(find_component("math")), CallLimits()
    foreign = tmp_path / "foreign.cwasm"
    foreign.write_bytes(b"not made by this engine")

    with pytest.raises(Waiting, match="did not load"):
        await ProcessPoolStarter().start(foreign, blob, limits)

    assert not foreign.exists()


@pytest.mark.parametrize(
    ("fixture", "reason", "words"),
    [
        ("not-wasm", "NotAComponent", "no WebAssembly"),
        ("module", "NotAComponent", "core WebAssembly module"),
        ("broken", "CompileFailed", "type mismatch"),
        ("needs-unknown", "UnsupportedInterface", "acme:secret/vault@1.0.0"),
    ],
)
async def test_what_is_wrong_with_a_component_is_said_in_one_line(
    tmp_path: Path, fixture: str, reason: str, words: str
) -> None:
    blob = describe_blob(find_component(f"fixtures/{fixture}"))

    with pytest.raises(Stalled) as raised:
        await make_compiler(tmp_path).compile(blob, CallLimits(), timeout=60)

    assert raised.value.reason == reason
    assert words in raised.value.message
    assert "\n" not in raised.value.message
    assert not list(tmp_path.glob("*.cwasm"))


async def test_compiling_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    blob = describe_blob(find_component("stats"))

    with pytest.raises(Waiting, match=r"CompileFailed: compiling took longer than 0\.2 seconds"):
        await make_compiler(tmp_path).compile(blob, CallLimits(), timeout=0.2)

    assert not list(tmp_path.iterdir())


async def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")

    with pytest.raises(Waiting, match=str(blocked)):
        await make_compiler(blocked / "cache").compile(describe_blob(find_component("math")), CallLimits(), timeout=60)


async def test_a_component_whose_start_never_ends_does_not_start(tmp_path: Path) -> None:
    text = """
    (component
      (core module $m (func $start (loop $again (br $again))) (start $start) (func (export "f")))
      (core instance $i (instantiate $m))
      (func (export "f") (canon lift (core func $i "f"))))
    """
    blob, limits = describe_blob(assemble(tmp_path, text)), CallLimits(timeout_seconds=0.5)
    compiled = await make_compiler(tmp_path).compile(blob, limits, timeout=60)

    with pytest.raises(Stalled, match="CompileFailed"):
        await asyncio.wait_for(ProcessPoolStarter().start(compiled, blob, limits), 20)


async def test_a_component_that_needs_a_newer_function_of_an_interface_is_told_so(tmp_path: Path) -> None:
    text = """
    (component
      (import "wasi:random/random@0.2.99" (instance $random (export "from-the-future" (func (result u64)))))
      (core func $f (canon lower (func $random "from-the-future")))
      (core module $m (import "h" "f" (func $f (result i64))) (func (export "f") (result i64) (call $f)))
      (core instance $h (export "f" (func $f)))
      (core instance $i (instantiate $m (with "h" (instance $h))))
      (func (export "f") (result u64) (canon lift (core func $i "f"))))
    """
    blob = describe_blob(assemble(tmp_path, text))
    compiled = await make_compiler(tmp_path).compile(blob, CallLimits(), timeout=60)

    with pytest.raises(Stalled, match=r"UnsupportedInterface: .*wasi:random/random@0\.2\.99"):
        await ProcessPoolStarter().start(compiled, blob, CallLimits())


async def test_compilers_that_share_a_volume_end_with_one_file_that_all_of_them_use(tmp_path: Path) -> None:
    blob, limits = describe_blob(find_component("math")), CallLimits()
    compilers = [make_compiler(tmp_path) for _ in range(3)]

    paths = await asyncio.gather(*(each.compile(blob, limits, timeout=60) for each in compilers))

    assert len(set(paths)) == 1
    assert sorted(path.suffix for path in tmp_path.iterdir() if path.name != ".lock") == [".cwasm", ".sha256"]
    assert not holds.remove_unused(paths[0])
    assert compilers  # alive until here: they use it
    pool = await ProcessPoolStarter().start(paths[0], blob, limits)
    await pool.close(0.0)


async def test_code_that_is_not_used_any_more_makes_room(tmp_path: Path) -> None:
    blob = describe_blob(find_component("math"))
    space = Space(tmp_path, limit=1)
    folder = tmp_path / "compiled"
    earlier = ProcessCompiler(folder, provided=catalog.PROVIDED, space=Space(tmp_path))
    first = await earlier.compile(blob, CallLimits(), timeout=60)
    del earlier

    second = await ProcessCompiler(folder, provided=catalog.PROVIDED, space=space).compile(
        blob, CallLimits(fuel=1), timeout=60
    )

    assert not first.exists()
    assert second.exists()


# Compiles in a process whose children may have files of 16 KiB and no more, as on a disk that is nearly full.
COMPILE_ON_A_FULL_DISK = """
import asyncio, pathlib, resource, sys
from tests.integration.workers.pools import describe_blob
from wasmoor_runtime.capabilities import catalog
from wasmoor_runtime.contract.document import CallLimits
from wasmoor_runtime.engine.compiler import ProcessCompiler
from wasmoor_runtime.errors import Waiting

resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 14, 1 << 14))
blob, folder = describe_blob(pathlib.Path(sys.argv[1])), pathlib.Path(sys.argv[2])
try:
    asyncio.run(ProcessCompiler(folder, provided=catalog.PROVIDED).compile(blob, CallLimits(), timeout=60))
except Waiting as fault:
    print(fault)
"""


async def test_a_full_disk_is_compile_failed_and_says_where_and_how_much(tmp_path: Path) -> None:
    command = [sys.executable, "-c", COMPILE_ON_A_FULL_DISK, str(find_component("math")), str(tmp_path)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await asyncio.wait_for(process.communicate(), 60)

    assert re.match(rf"CompileFailed: no space left in {tmp_path} for [0-9]+ bytes; make room", output.decode())
    assert [path.name for path in tmp_path.iterdir() if path.name != ".lock"] == []
