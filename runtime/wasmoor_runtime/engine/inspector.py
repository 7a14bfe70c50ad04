"""The front's side of inspecting: what a component is, without running or compiling it.

`wasmoor component inspect` shows this. The component's bytes are read by `inspect`, a short-lived process.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wasmoor_runtime.artifacts.metadata import Metadata, Producer, Section
from wasmoor_runtime.artifacts.packages import Package
from wasmoor_runtime.engine import children
from wasmoor_runtime.errors import Stalled, Waiting
from wasmoor_runtime.ports import Function

_MODULE = "wasmoor_runtime.engine.inspect"
_SECONDS = 60.0
_LARGEST_OUTPUT = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What a component is: its own words, what it imports and exports, and its functions as tools."""

    path: str
    digest: str  # of the file: sha256:…
    size: int  # bytes
    metadata: Metadata
    imports: tuple[str, ...]
    exports: tuple[str, ...]
    missing: tuple[str, ...]
    """Imports that nobody provides here: with any of them the component cannot be served."""
    functions: tuple[Function, ...]
    """In the component's order; `unsupported` says why one cannot be a tool."""

    def to_json(self) -> dict[str, Any]:
        """Return plain dictionaries, lists, texts and numbers."""
        document: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return document


async def inspect_component(path: Path, *, provided: Sequence[str], timeout: float = _SECONDS) -> Inspection:
    """Return what a component file is; `provided` is `capabilities.catalog.PROVIDED`.

    Raises:
        Stalled: NotAComponent, CompileFailed (it is damaged), ArtifactNotFound (the file cannot be read).
        Waiting: the process took longer than `timeout` seconds, or died.
    """
    try:
        absolute, digest, size = await asyncio.to_thread(_observe_file, path)
    except OSError as error:
        raise Stalled("ArtifactNotFound", f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from None
    report = await _run((str(os.getpid()), str(absolute), json.dumps(list(provided))), timeout)
    if report["reason"]:
        raise Stalled(report["reason"], f"{path}: {report['message']}")
    return Inspection(
        path=str(path),
        digest=digest,
        size=size,
        metadata=_parse_metadata(report["metadata"]),
        imports=tuple(report["imports"]),
        exports=tuple(report["exports"]),
        missing=tuple(report["missing"]),
        functions=tuple(Function(**each) for each in report["functions"]),
    )


def _observe_file(path: Path) -> tuple[Path, str, int]:
    """Return a file's absolute path, digest and size."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return path.absolute(), f"sha256:{digest}", file.tell()


async def _run(arguments: Sequence[str], timeout: float) -> Mapping[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *children.child_command(_MODULE, arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=None,
        env=children.child_environment(),
        cwd="/",
        limit=_LARGEST_OUTPUT,
    )
    try:
        async with asyncio.timeout(timeout):
            line = await process.stdout.readline() if process.stdout else b""
            await process.wait()
        report = json.loads(line)
    except TimeoutError:
        raise Waiting("CompileFailed", f"inspecting took longer than {timeout:g} seconds") from None
    except ValueError:
        code = process.returncode
        raise Waiting("CompileFailed", f"the process that inspects ended with code {code} and no report") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if not isinstance(report, dict):
        raise Waiting("CompileFailed", "the process that inspects gave no report")
    return report


def _parse_metadata(document: Mapping[str, Any]) -> Metadata:
    """Return what `asdict` made of a `Metadata`."""
    nested = {
        "producers": tuple(Producer(**each) for each in document["producers"]),
        "packages": tuple(Package(**each) for each in document["packages"]),
        "sections": tuple(Section(**each) for each in document["sections"]),
        "problems": tuple(document["problems"]),
    }
    return Metadata(**{**document, **nested})
