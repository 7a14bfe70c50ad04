"""The pinned tools that build components, installed into the cache when first asked for.

Called by build.py and describe.py; knows nothing of single components.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent / "requirements.txt"
RUST = "1.95.0"
RUST_TARGET = "wasm32-wasip2"
OLDEST_NODE = 20


class BuildError(Exception):
    """A component could not be built; the text is one line for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolbox:
    """Where tools are kept, and the log that takes what they print."""

    cache: Path
    log: Path

    @property
    def cargo_target(self) -> Path:
        """The folder where cargo keeps what it compiled."""
        return self.cache / "toolchains" / "components-cargo"

    def run(
        self, command: Sequence[str | Path], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        """Run one command to its end. Raise BuildError if it fails."""
        with self.log.open("ab") as log:
            log.write(f"$ {' '.join(map(str, command))}\n".encode())
            log.flush()
            done = subprocess.run(
                command,
                cwd=cwd,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode != 0:
            raise BuildError(f"`{Path(command[0]).name}` failed with exit code {done.returncode}, see {self.log}")

    def python_tool(self, name: str) -> Path:
        """Return the path of a command from requirements.txt."""
        home = self.cache / "toolchains" / f"components-python-{hash_files([REQUIREMENTS], sys.version)[:16]}"
        if needs_install(home):
            announce("componentize-py and wasm-tools")
            self.run([sys.executable, "-m", "venv", home])
            self.run([home / "bin" / "pip", "install", "--require-hashes", "--no-deps", "-r", REQUIREMENTS])
            mark_installed(home)
        return home / "bin" / name

    def node_modules(self, package: Path) -> Path:
        """Return the folder with the packages that a package-lock.json pins."""
        manifests = [package / "package.json", package / "package-lock.json"]
        home = self.cache / "toolchains" / f"components-node-{hash_files(manifests)[:16]}"
        if needs_install(home):
            npm = require_program("npm", f"install Node.js {OLDEST_NODE} or later")
            announce("componentize-js")
            for manifest in manifests:
                shutil.copy(manifest, home)
            self.run([npm, "ci", "--ignore-scripts"], cwd=home)
            mark_installed(home)
        return home / "node_modules"

    def node(self) -> str:
        """Return the path of a Node.js that is new enough for componentize-js."""
        node = require_program("node", f"install Node.js {OLDEST_NODE} or later")
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
        if int(version.lstrip("v").split(".")[0]) < OLDEST_NODE:
            raise BuildError(f"Node.js {version} is too old: install {OLDEST_NODE} or later")
        return node

    def cargo(self) -> str:
        """Return the path of a cargo whose pinned Rust has the target for components."""
        advice = "install Rust with rustup, see https://rustup.rs"
        rustup, cargo = require_program("rustup", advice), require_program("cargo", advice)
        query = [rustup, "target", "list", "--installed", "--toolchain", RUST]
        installed = subprocess.run(query, capture_output=True, text=True, check=False).stdout.split()
        if RUST_TARGET not in installed:
            announce(f"Rust {RUST} for {RUST_TARGET}")
            self.run([rustup, "toolchain", "install", RUST, "--profile", "minimal", "--target", RUST_TARGET])
        return cargo


def announce(tool: str) -> None:
    """Say that something is being installed, which may take a minute."""
    print(f"installing {tool}", flush=True)


def require_program(name: str, advice: str) -> str:
    """Return the path of a program of this machine. Raise BuildError with the advice if there is none."""
    found = shutil.which(name)
    if found is None:
        raise BuildError(f"`{name}` is not on the PATH: {advice}")
    return found


def needs_install(home: Path) -> bool:
    """Return whether a tool is still to be installed into a folder, which then is there and empty."""
    if (home / ".ready").exists():
        return False
    # Whoever was here before did not get to the end.
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    return True


def mark_installed(home: Path) -> None:
    """Say that the folder is complete."""
    (home / ".ready").touch()


def hash_files(files: Sequence[Path], *words: str) -> str:
    """Return the SHA-256, in hex, of files by name and content, and of some words."""
    total = hashlib.sha256()
    for path in files:
        total.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    total.update("\0".join(words).encode())
    return total.hexdigest()
