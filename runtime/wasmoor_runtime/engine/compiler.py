"""The front's side of compiling: a directory of compiled code, and the process that fills it.

Threat: loading compiled code runs it, unsandboxed. So the directory belongs to this user alone, an entry is used only
with its own checksum beside it, and it is keyed by everything that compiled code depends on: the component's digest,
wasmtime's version, the engine's settings, and this machine's processor.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import platform
import re
import secrets
import tempfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from wasmoor_runtime.contract.document import CallLimits
from wasmoor_runtime.engine import children
from wasmoor_runtime.engine.settings import EngineSettings
from wasmoor_runtime.errors import Stalled, Waiting
from wasmoor_runtime.ports import Blob
from wasmoor_runtime.storage.space import CHECKSUM, PARTIAL, Space

_MODULE = "wasmoor_runtime.engine.compile"
_LARGEST_OUTPUT = 64 * 1024  # of the compile process, on each of its streams
_RETRY_SECONDS = 10.0
# Bytes of machine code for each byte of a component, rounded up: 1.3 to 2.8 for those from 0.6 to 19 MB.
_GROWTH = 3


class ProcessCompiler:
    """A `ports.Compiler` with a cache in one directory, which may be a part of a bounded `space`."""

    def __init__(self, directory: Path, *, provided: Sequence[str], space: Space | None = None) -> None:
        self._directory = directory.absolute()
        self._space = space or Space(self._directory)
        self._provided = json.dumps(list(provided))
        self._machine = observe_machine()

    async def compile(self, blob: Blob, limits: CallLimits, *, timeout: float) -> Path:
        """Return the path of compiled code, compiled now if it is not there or damaged.

        Raises `Stalled` when the component has to change, `Waiting` when time or the disk ran out.
        """
        settings = EngineSettings.from_limits(limits)
        path = self._directory / cache_name(blob.digest, settings, self._machine)
        try:
            await asyncio.to_thread(_prepare_directory, self._directory)
            if await asyncio.to_thread(self._find, path):
                return path
            await asyncio.to_thread(self._space.make_room, blob.size * _GROWTH)
            # Containers that share a volume have the same process ids: names of unfinished files are random.
            unfinished = path.with_name(f"{path.stem}-{secrets.token_hex(8)}{PARTIAL}")
            await self._run(blob, unfinished, settings, timeout)
            await asyncio.to_thread(self._keep, unfinished, path)
        except OSError as error:
            raise Waiting(
                "CompileFailed",
                f"the directory for compiled code, {self._directory}, cannot be used: {error.strerror or error}",
                delay=_RETRY_SECONDS,
            ) from None
        return path

    def _find(self, path: Path) -> bool:
        """Return whether the code is there and intact; from then on it is marked as used."""
        if not self._space.holds.take(path):
            return False
        if not _is_intact(path):
            self._space.holds.release(path)
            return False
        return True

    def _keep(self, unfinished: Path, path: Path) -> None:
        """Give new code its name, or take what another process made meanwhile: one file, known to all who use it."""
        with self._space.exclusive():
            if self._find(path):
                unfinished.unlink()
            else:
                self._space.holds.take(unfinished, known_as=path)
                unfinished.replace(path)
                _seal(path)
        self._space.make_room()

    async def _run(self, blob: Blob, output_path: Path, settings: EngineSettings, timeout: float) -> None:
        arguments = (str(os.getpid()), str(blob.path.absolute()), str(output_path), settings.to_json(), self._provided)
        process = await asyncio.create_subprocess_exec(
            *children.child_command(_MODULE, arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=children.child_environment(),
            cwd="/",
        )
        try:
            async with asyncio.timeout(timeout):
                output, errors = await asyncio.gather(_read_bounded(process.stdout), _read_bounded(process.stderr))
                code = await process.wait()
        except TimeoutError:
            raise Waiting(
                "CompileFailed",
                f"compiling took longer than {timeout:g} seconds: give the pod more CPU or more time to start",
                delay=_RETRY_SECONDS,
            ) from None
        finally:
            await _end(process)
        try:
            _raise_report(code, output, errors)
        except Waiting:
            # Perhaps for want of room: the next attempt finds what can be had.
            await asyncio.to_thread(self._space.free, blob.size * _GROWTH)
            raise


def cache_name(digest: str, settings: EngineSettings, machine: str) -> str:
    """Return the file name for compiled code: the digest for people, and a hash of all that it depends on."""
    version = metadata.version("wasmtime")
    key = hashlib.sha256(f"{digest}\n{version}\n{settings.to_json()}\n{machine}".encode()).hexdigest()
    readable = re.sub(r"[^0-9a-f]", "", digest.partition(":")[2])[:12]
    return f"{readable}-{key[:32]}.cwasm"


def observe_machine() -> str:
    """Return what compiled code assumes of the processor: its architecture and the features it has."""
    features = ""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            if line.startswith(("flags", "Features")):
                features = " ".join(sorted(line.partition(":")[2].split()))
                break
    return f"{platform.machine()} {hashlib.sha256(features.encode()).hexdigest()}"


def _prepare_directory(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def _checksum_path(path: Path) -> Path:
    return path.with_suffix(CHECKSUM)


def _is_intact(path: Path) -> bool:
    try:
        expected = _checksum_path(path).read_text("ascii").strip()
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == expected
    except (OSError, ValueError):
        return False


def _seal(path: Path) -> None:
    """Write the checksum: an entry without one is taken for unfinished."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f"{path.stem}-", suffix=PARTIAL)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(digest)
    Path(temporary).replace(_checksum_path(path))


async def _read_bounded(stream: asyncio.StreamReader | None) -> bytes:
    """Read to the end, keep the beginning."""
    kept = b""
    while stream is not None and (chunk := await stream.read(_LARGEST_OUTPUT)):
        kept = (kept + chunk)[:_LARGEST_OUTPUT]
    return kept


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _raise_report(code: int, output: bytes, errors: bytes) -> None:
    """Turn what the compile process said into an error, or into nothing when it worked."""
    try:
        report = json.loads(output)
        reason, message, retry = str(report["reason"]), str(report["message"]), bool(report["retry"])
    except (ValueError, KeyError, TypeError):
        lines = errors.decode("utf-8", "replace").strip().splitlines()
        cause = f"was killed by signal {-code}, perhaps for lack of memory" if code < 0 else f"ended with code {code}"
        detail = f" ({lines[-1][:300]})" if lines else ""
        raise Waiting("CompileFailed", f"the compile process {cause}{detail}", delay=_RETRY_SECONDS) from None
    if not reason:
        return
    if retry:
        raise Waiting(reason, message, delay=_RETRY_SECONDS)
    raise Stalled(reason, message)
