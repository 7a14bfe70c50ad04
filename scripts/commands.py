"""Runs other programs, and turns their failure into one line that says what to do. Called by all of `scripts`."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
Word = str | pathlib.Path
LONGEST_CAUSE = 600


class StepFailed(Exception):
    """A step that did not work: what happened, and what to look at or to do."""

    def __init__(self, what: str, *, todo: str) -> None:
        super().__init__(f"{what}; {todo}")


def tell(text: str = "") -> None:
    """Print a result for people, at once; progress goes to standard error, elsewhere."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def run(
    command: Sequence[Word],
    *,
    todo: str,
    timeout: float = 120,
    given: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a program and return its standard output.

    Args:
        command: Program and arguments.
        todo: What a person does about a failure.
        timeout: Seconds after which it is ended.
        given: Its standard input; none by default.
        environment: Variables to set beside our own.

    Raises:
        StepFailed: it is not there, took too long, or failed; with what it said.
    """
    words = [str(word) for word in command]
    what = pathlib.Path(words[0]).name
    try:
        done = subprocess.run(
            words,
            cwd=REPOSITORY,
            input=given if given is not None else "",
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except OSError as error:
        raise StepFailed(f"{what} cannot be run: {error.strerror}", todo=todo) from error
    except subprocess.TimeoutExpired as error:
        raise StepFailed(f"{what} took longer than {timeout:.0f} s", todo=todo) from error
    if done.returncode != 0:
        raise StepFailed(f"{what} failed: {find_cause(done.stderr or done.stdout)}", todo=todo)
    return done.stdout


def run_shown(command: Sequence[Word], *, todo: str) -> None:
    """Run a program that reports its own progress; everything it says goes to standard error as it comes.

    Raises:
        StepFailed: it failed; its own last line says why.
    """
    _run_relayed(command, output=sys.stderr, todo=todo)


def run_relayed(command: Sequence[Word], *, todo: str) -> str:
    """Run a program that reports its own progress on standard error, and return its standard output.

    Raises:
        StepFailed: it failed; its own last line says why.
    """
    return _run_relayed(command, output=subprocess.PIPE, todo=todo)


def _run_relayed(command: Sequence[Word], *, output: int | TextIO, todo: str) -> str:
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=output, text=True, check=False)
    except OSError as error:
        raise StepFailed(f"{words[0]} cannot be run: {error.strerror}", todo=todo) from error
    if done.returncode != 0:
        raise StepFailed(f"`{' '.join(words[1:])}` failed, see the line above", todo=todo)
    return done.stdout or ""


def find_cause(text: str) -> str:
    """Return the line that says why a program failed: its first that begins with `error`, else its last; shortened."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    cause = (errors or lines[-1:] or ["no message"])[0]
    return cause if len(cause) <= LONGEST_CAUSE else f"{cause[:LONGEST_CAUSE]}..."
