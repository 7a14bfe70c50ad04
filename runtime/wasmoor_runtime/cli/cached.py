"""`wasmoor cache …`: what is kept on this machine, and how to make room. What a process uses is never removed."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from wasmoor_runtime.cli import options, output
from wasmoor_runtime.cli.problems import UserError
from wasmoor_runtime.contract.quantities import parse_bytes, parse_duration
from wasmoor_runtime.sources import cache as contents

app = typer.Typer(help="Look into the cache, and make room.", no_args_is_help=True)


@app.command("list")
def show_list(cache: options.Cache = None, chosen: output.Chosen = output.Format.TABLE) -> None:
    """List components and compiled code, the one used longest ago first."""
    found = [describe(entry) for entry in contents.list_entries(options.choose_cache(cache))]
    rows = [
        (
            each["kind"],
            each["name"][:23],
            output.render_size(each["size"]),
            each["used"],
            "yes" if each["inUse"] else "",
        )
        for each in found
    ]
    output.show(found, chosen, output.render_rows(("KIND", "NAME", "SIZE", "LAST USED", "IN USE"), rows))


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
    freed = contents.prune(
        root,
        unused_for=_parse("--older-than", older, parse_duration) if older else 0.0,
        keep_bytes=int(_parse("--keep", keep, parse_bytes)) if keep else 0,
    )
    left = sum(entry.size for entry in contents.list_entries(root))
    found = {"removed": freed.entries, "freedBytes": freed.size, "leftBytes": left, "cache": str(root)}
    sizes = {"freed": output.render_size(freed.size), "left": output.render_size(left)}
    output.show(found, chosen, output.render_pairs({"removed": freed.entries, **sizes, "cache": str(root)}))


def describe(entry: contents.Entry) -> dict[str, Any]:
    """Return what to show of an entry."""
    used = entry.used.isoformat(timespec="seconds")
    return {"kind": entry.kind, "name": entry.name, "size": entry.size, "used": used, "inUse": entry.in_use}


def _parse(option: str, text: str, parse: Any) -> float:
    try:
        return float(parse(text))
    except ValueError as error:
        raise UserError(f"{option} {text}: write for example {'24h' if 'older' in option else '500Mi'}") from error
