"""Build the example components and those of the tests, from source, with pinned tools.

    python3 examples/build.py [NAME ...] [--out .wasmoor/components]

NAME is a component (`text`, `fixtures/spin`) or a group (`examples`, `fixtures`); none means all. Tools go to the
cache (`${WASMOOR_CACHE:-${XDG_CACHE_HOME:-~/.cache}/wasmoor}`), and so does every component, under a hash of all it
is made of: what has not changed is copied, not built. Needs nothing but the standard library.
"""

import argparse
import contextlib
import fcntl
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from describe import describe_component
from toolbox import REQUIREMENTS, RUST, RUST_TARGET, BuildError, Toolbox, hash_files

REPOSITORY = Path(__file__).resolve().parent.parent
EXAMPLES = REPOSITORY / "examples" / "components"
FIXTURES = REPOSITORY / "tests" / "components"
NOT_SOURCES = {"node_modules", "target", "__pycache__"}
BYTES_PER_KILOBYTE = 1000


def build_wat(tools: Toolbox, source: Path, output: Path) -> None:
    """Encode a text, without validating it: some fixtures are invalid on purpose."""
    tools.run([tools.python_tool("wasm-tools"), "parse", source, "-o", output])


def build_wat_with_wit(tools: Toolbox, source: Path, output: Path) -> None:
    """Encode a text and check it against its WIT."""
    (text,) = source.glob("*.wat")
    build_wat(tools, text, output)
    wasm_tools = tools.python_tool("wasm-tools")
    tools.run([wasm_tools, "validate", output])
    tools.run([wasm_tools, "component", "targets", source / "wit", output])


def build_rust(tools: Toolbox, source: Path, output: Path) -> None:
    """Compile a crate, whose library is named like its folder or like the part before `-rust`."""
    command = [tools.cargo(), f"+{RUST}", "build", "--locked", "--release", "--target", RUST_TARGET]
    tools.run(command, cwd=source, env={"CARGO_TARGET_DIR": str(tools.cargo_target)})
    library = source.name.removesuffix("-rust").replace("-", "_")
    shutil.copy(tools.cargo_target / RUST_TARGET / "release" / f"{library}.wasm", output)


def build_python(tools: Toolbox, source: Path, output: Path) -> None:
    """Bundle app.py with an interpreter, from a copy so that bytecode stays out of the sources."""
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copy(source / "app.py", scratch)
        program, options = tools.python_tool("componentize-py"), ["-p", scratch, "app", "-o", str(output)]
        tools.run([program, "-d", source / "wit", "componentize", *options], cwd=Path(scratch))


def build_javascript(tools: Toolbox, source: Path, output: Path) -> None:
    """Bundle component.js with an engine, by the package's own build script."""
    node, modules = tools.node(), tools.node_modules(source)
    with tempfile.TemporaryDirectory() as scratch:
        package = Path(scratch) / "package"
        shutil.copytree(source, package, ignore=shutil.ignore_patterns(*NOT_SOURCES))
        (package / "node_modules").symlink_to(modules)
        tools.run([node, "build.js", output], cwd=package)


def copy_text(_tools: Toolbox, source: Path, output: Path) -> None:
    """Take the source as it is."""
    shutil.copy(source, output)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What one component is made of, and how."""

    name: str
    source: Path
    build: Callable[[Toolbox, Path, Path], None]
    shared: tuple[Path, ...] = ()
    """Files outside the source that go into it as well."""

    @property
    def group(self) -> str:
        """What a person types to get all of a kind."""
        return "fixtures" if self.source.is_relative_to(FIXTURES) else "examples"

    def fingerprint(self) -> str:
        """Hash all that makes a difference: sources, pins of tools, and the code that builds."""
        code = sorted(Path(__file__).parent.glob("*.py"))
        return hash_files([*code, REQUIREMENTS, *self.shared, *list_sources(self.source)])


WORKSPACE = (FIXTURES / "Cargo.toml", FIXTURES / "Cargo.lock")
RECIPES = (
    Recipe(name="math", source=EXAMPLES / "math-wat", build=build_wat_with_wit),
    Recipe(name="text", source=EXAMPLES / "text-rust", build=build_rust),
    Recipe(name="stats", source=EXAMPLES / "stats-python", build=build_python),
    Recipe(name="convert", source=EXAMPLES / "convert-javascript", build=build_javascript),
    *(
        Recipe(name=f"fixtures/{name}", source=FIXTURES / f"{name}.wat", build=build_wat)
        for name in ("spin", "sleep", "trap", "hog", "broken", "module", "needs-unknown")
    ),
    Recipe(name="fixtures/not-wasm", source=FIXTURES / "not-wasm.txt", build=copy_text),
    *(
        Recipe(name=f"fixtures/{name}", source=FIXTURES / name, build=build_rust, shared=WORKSPACE)
        for name in ("conformance", "echo", "nosy", "http-fetch")
    ),
)


def list_sources(source: Path) -> list[Path]:
    """Return a file itself, or the files below a folder, without what tools left there."""
    if source.is_file():
        return [source]
    return sorted(path for path in source.rglob("*") if path.is_file() and not NOT_SOURCES & set(path.parts))


def provide_component(recipe: Recipe, cache: Path, out: Path) -> str:
    """Put one component into the output folder, built if need be, and return what was done."""
    store = cache / "components"
    flat = recipe.name.replace("/", "-")
    kept = store / f"{flat}-{recipe.fingerprint()[:16]}.wasm"
    how = "unchanged"
    if not kept.exists():
        started = time.monotonic()
        tools = Toolbox(cache=cache, log=store / f"{flat}.log")
        tools.log.write_bytes(b"")
        with tempfile.TemporaryDirectory(dir=store) as scratch:
            component = Path(scratch) / "component.wasm"
            recipe.build(tools, recipe.source, component)
            if (recipe.source / "wit").is_dir():
                describe_component(tools, recipe.source / "wit", component)
            component.replace(kept)
        how = f"built in {time.monotonic() - started:.1f} s"
    destination = out / f"{recipe.name}.wasm"
    destination.parent.mkdir(parents=True, exist_ok=True)
    # Readers of the file meanwhile see the old one or the new one, nothing between.
    unfinished = destination.with_suffix(".new")
    shutil.copyfile(kept, unfinished)
    unfinished.replace(destination)
    return f"{how}, {kept.stat().st_size / BYTES_PER_KILOBYTE:,.1f} kB"


@contextlib.contextmanager
def lock_cache(cache: Path) -> Iterator[None]:
    """Hold the cache, so that two builds at a time do not install the same tool twice."""
    (cache / "components").mkdir(parents=True, exist_ok=True)
    with (cache / "components" / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another build to finish", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def find_cache() -> Path:
    """Return the project's cache folder, which outlives a checkout."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("WASMOOR_CACHE") or Path(home) / "wasmoor").absolute()


def main() -> int:
    """Build what the command line names; return the exit code."""
    parser = argparse.ArgumentParser(description="Build components from source with pinned tools.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a component, or: examples, fixtures (default: all)")
    parser.add_argument("--out", type=Path, default=REPOSITORY / ".wasmoor" / "components", help="where they go")
    arguments = parser.parse_args()
    wanted = set(arguments.names)
    unknown = wanted - {word for recipe in RECIPES for word in (recipe.name, recipe.group)}
    if unknown:
        parser.error(f"no component is called {', '.join(sorted(unknown))}; there are "
                     f"{', '.join(recipe.name for recipe in RECIPES)}")  # fmt: skip
    cache, failed = find_cache(), False
    with lock_cache(cache):
        for recipe in RECIPES:
            if wanted and not wanted & {recipe.name, recipe.group}:
                continue
            try:
                print(f"{recipe.name}: {provide_component(recipe, cache, arguments.out)}", flush=True)
            except (BuildError, OSError) as error:
                print(f"{recipe.name}: {error}", file=sys.stderr, flush=True)
                failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
