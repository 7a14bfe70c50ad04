"""Options that several commands share, and what follows from them together with the environment."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from wasmoor_runtime.artifacts import mirrors
from wasmoor_runtime.cli.problems import UserError
from wasmoor_runtime.contract.quantities import parse_bytes, parse_duration
from wasmoor_runtime.settings import decide_cache

Manifests = Annotated[
    Path | None, typer.Option("--file", "-f", help="Manifests: the component is named as in them, with its policy.")
]
Cache = Annotated[Path | None, typer.Option(help="Directory for components and compiled code.")]
CacheSize = Annotated[
    str,
    typer.Option("--cache-size", metavar="SIZE", help="Bound of that directory; what was used longest ago goes first."),
]
TagTtl = Annotated[
    str,
    typer.Option("--tag-ttl", metavar="DURATION", help="How long to take what a tag named for what it names; 0s: ask."),
]
MirrorList = Annotated[
    list[str] | None, typer.Option("--mirror", metavar="HOST=URL", help="Ask URL instead of HOST; may be repeated.")
]
Insecure = Annotated[bool, typer.Option("--insecure", help="Speak plain HTTP to the registry.")]
Json = Annotated[str, typer.Option("--args", metavar="JSON|@FILE|-", help="The arguments, a JSON object.")]
Parameters = Annotated[
    list[str] | None, typer.Option("--param", metavar="NAME=VALUE", help="One argument; may be repeated.")
]


def choose_cache(typed: Path | None) -> Path:
    """Return the cache's directory."""
    return typed or decide_cache(os.environ)


def parse_cache_size(typed: str) -> int:
    """Return the bound of the cache in bytes."""
    try:
        return parse_bytes(typed)
    except ValueError as error:
        raise UserError(f"--cache-size {typed}: write for example 10Gi") from error


def parse_tag_ttl(typed: str) -> float:
    """Return for how many seconds what a tag named is used without asking."""
    try:
        return parse_duration(typed)
    except ValueError as error:
        raise UserError(f"--tag-ttl {typed}: write for example 10m, or 0s to ask every time") from error


def parse_mirrors(typed: Iterable[str] | None) -> dict[str, str]:
    """Return the mirrors of `$WASMOOR_MIRRORS`, overruled by those that were typed."""
    try:
        named = mirrors.parse_mirrors(filter(None, os.environ.get("WASMOOR_MIRRORS", "").split(",")))
        return {**named, **mirrors.parse_mirrors(typed or ())}
    except ValueError as error:
        raise UserError(str(error)) from error
