"""`wasmoor policy …`: what manifests say, checked as the API server would."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wasmoor_runtime.cli import exits, options, output

app = typer.Typer(help="Work with policies.", no_args_is_help=True)

_HEADINGS = {
    "component": "COMPONENT", "policy": "POLICY", "source": "SOURCE", "memoryBytes": "MEMORY",
    "timeoutSeconds": "TIMEOUT", "concurrency": "CALLS", "fuel": "FUEL", "problem": "PROBLEM",
}  # fmt: skip


@app.callback()
def policy() -> None:
    """Work with policies."""


@app.command()
def check(
    file: Annotated[Path, typer.Option("--file", "-f", help="A manifest, or a directory of them.")],
    chosen: output.Chosen = output.Format.TABLE,
) -> None:
    """Check manifests and say which policy applies to each component, and what a call may use."""
    from wasmoor_runtime.cli import checking

    found = checking.check(file, options.choose_cache(None))
    rows = [[each.get(name) for name in _HEADINGS] for each in found]
    output.show(found, chosen, output.render_rows(tuple(_HEADINGS.values()), rows))
    raise typer.Exit(max((each["code"] for each in found), default=exits.Exit.OK))
