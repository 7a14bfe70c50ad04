"""Runs a program that takes minutes: its words go to a log, the person sees a sign of life. Called by builders."""

import os
import pathlib
import subprocess
from collections.abc import Mapping, Sequence

from tests.cluster import processes
from tests.cluster.errors import ClusterError
from tests.cluster.progress import Progress

SIGN_OF_LIFE_SECONDS = 30.0


def run_long(
    command: Sequence[str | pathlib.Path],
    *,
    what: str,
    log: pathlib.Path,
    progress: Progress,
    folder: pathlib.Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run to the end; `environment` is added to ours. A failure is told with the log's last line."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        started = subprocess.Popen(
            [str(word) for word in command],
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            while (code := _wait(started)) is None:
                progress.say(f"still {what}")
        except BaseException:
            started.kill()
            started.wait()
            raise
    if code != 0:
        raise ClusterError(f"{what} failed: {processes.read_last_line(log)}", where=str(log), todo="read that log")


def _wait(started: subprocess.Popen[bytes]) -> int | None:
    try:
        return started.wait(timeout=SIGN_OF_LIFE_SECONDS)
    except subprocess.TimeoutExpired:
        return None
