"""`wasmoor cache …`: what is kept on this machine, and how to make room. What a process uses is never removed."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from wasmoor_runtime.cli import options, output
from wasmoor_runtime.cli.problems import UserError
from wasmoor_runtime.contract.quantities import parse_bytes, parse_duration
from wasmoor_runtime.storage import space

app = typer.Typer(help="Look into the cache, and make room.", no_args_is_help=True)


@app.command("list")
def show_list(cache: options.Cache = None, chosen: output.Chosen = output.Format.TABLE) -> None:
    """List components and compiled code, the one used longest ago first."""
    root = options.choose_cache(cache)
    found = [describe(entry, root) for entry in space.list_entries(root)]
    rows = [(each["kind"], each["name"][:23], output.render_size(each["size"]), each["used"]) for each in found]
    output.show(found, chosen, output.render_rows(("KIND", "NAME", "SIZE", "LAST USED"), rows))


@app.command()
def prune(
    cache: options.Cache = None,
    older: Annotated[
        str | None, typer.Option("--older-than", metavar="DURATION", help="What was not used for so long, as 24h.")
    ] = None,
    keep: Annotated[
        str | None, typer.Option("--keep", metavar="SIZE", help="Only until so much is left, as 500Mi.")
    ] = None,
    chosen: output.Chosen = output.Format.TABLE,
) -> None:
    """Remove what no process uses: all of it, or by age or size; it is fetched and compiled again when needed."""
    root = options.choose_cache(cache)
    horizon = time.time() - (_parse("--older-than", older, parse_duration) if older else 0.0)
    bound = int(_parse("--keep", keep, parse_bytes)) if keep else 0
    entries = space.list_entries(root)
    left = sum(entry.size for entry in entries)
    space.sweep(root)
    count = size = 0
    for entry in entries:
        if left <= bound or entry.used > horizon:
            break
        if space.remove(entry):
            count, size, left = count + 1, size + entry.size, left - entry.size
    found = {"removed": count, "freedBytes": size, "leftBytes": left, "cache": str(root)}
    shown = {"removed": count, "freed": output.render_size(size), "left": output.render_size(left), "cache": str(root)}
    output.show(found, chosen, output.render_pairs(shown))


def describe(entry: space.Entry, root: Path) -> dict[str, Any]:
    """Return what to show of an entry."""
    compiled = entry.path.parent == root / space.COMPILED
    used = dt.datetime.fromtimestamp(entry.used, dt.UTC).isoformat(timespec="seconds")
    name = entry.path.name if compiled else f"sha256:{entry.path.name}"
    return {"kind": "compiled" if compiled else "component", "name": name, "size": entry.size, "used": used}


def _parse(option: str, text: str, parse: Any) -> float:
    try:
        return float(parse(text))
    except ValueError as error:
        raise UserError(f"{option} {text}: write for example {'24h' if 'older' in option else '500Mi'}") from error
