"""The commands of `wasmoor`: what can be typed, and how errors come out. Everything else is behind it.

An error that a person can cause is one line on stderr and exit code 2; nobody sees a traceback for it.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from wasmoor_runtime.artifacts import mirrors
from wasmoor_runtime.cli.problems import USER_ERROR, UserError
from wasmoor_runtime.errors import RuntimeFault
from wasmoor_runtime.settings import DEFAULT_ADMIN_PORT, DEFAULT_PORT, Addresses, decide_cache

_INTERRUPTED = 130

app = typer.Typer(
    help="Serve WebAssembly components as MCP tools.", no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False,
)  # fmt: skip
component = typer.Typer(help="Work with components.", no_args_is_help=True)
app.add_typer(component, name="component")


@app.command()
def serve(
    file: Annotated[Path, typer.Option("--file", "-f", help="A manifest, or a directory of them.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port for MCP.")] = DEFAULT_PORT,
    admin_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port for health, status and metrics.")
    ] = DEFAULT_ADMIN_PORT,
    cache: Annotated[Path | None, typer.Option(help="Directory for components and compiled code.")] = None,
    mirror: Annotated[
        list[str] | None, typer.Option(metavar="HOST=URL", help="Pull from URL instead of HOST; may be repeated.")
    ] = None,
    log_format: Annotated[str, typer.Option(help="auto, json or text.")] = "auto",
) -> None:
    """Serve the manifests of a cluster on this machine, each at /NAMESPACE/NAME/mcp."""
    from wasmoor_runtime.cli import serve as command

    if log_format not in {"auto", "json", "text"}:
        raise UserError(f"--log-format {log_format}: write auto, json or text")
    options = command.Options(
        path=file,
        addresses=Addresses(host=host, port=port, admin_host=host, admin_port=admin_port),
        cache=cache or decide_cache(os.environ),
        mirrors=_parse_mirrors(mirror or []),
        log_format=log_format,  # type: ignore[arg-type]
    )
    raise typer.Exit(command.serve(options))


@component.command()
def push(
    file: Annotated[Path, typer.Argument(help="The component, a .wasm file.")],
    reference: Annotated[str, typer.Argument(help="Where to: registry/repository:tag.")],
    insecure: Annotated[bool, typer.Option("--insecure", help="Speak plain HTTP to the registry.")] = False,  # noqa: FBT002
) -> None:
    """Push a component to an OCI registry and print the reference that pins it."""
    from wasmoor_runtime.sources import push as command

    result = asyncio.run(command.push(file, reference, insecure=insecure))
    print(result.reference)


@app.command()
def call(
    url: Annotated[str, typer.Argument(help="The MCP endpoint, http://…/mcp.")],
    tool: Annotated[str, typer.Argument(help="The tool's name.")],
    args: Annotated[str, typer.Option(metavar="JSON", help="The arguments, a JSON object.")] = "{}",
    timeout: Annotated[float, typer.Option(min=0.001, help="Seconds to wait.")] = 60.0,
) -> None:
    """Call a tool and print what it answers; exit code 1 when the tool reports an error."""
    from wasmoor_runtime.cli import call as command

    if not url.startswith(("http://", "https://")):
        raise UserError(f"{url}: write a URL that begins with http:// or https://")
    code, text = asyncio.run(command.call(url, tool, command.parse_arguments(args), seconds=timeout))
    print(text, file=sys.stderr if code else sys.stdout)
    raise typer.Exit(code)


@app.command()
def version() -> None:
    """Print the versions of what matters."""
    own, wasmtime, sdk = (importlib.metadata.version(name) for name in ("wasmoor", "wasmtime", "mcp"))
    print(f"wasmoor {own} (wasmtime {wasmtime}, mcp {sdk}, Python {platform.python_version()})")


def run() -> None:
    """Run what was typed and end the process with its exit code."""
    try:
        sys.exit(app(standalone_mode=False))
    except UserError as error:
        _fail(*error.lines)
    except RuntimeFault as fault:
        _fail(fault.message)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(_INTERRUPTED)
    except Exception as error:
        # What cannot be parsed: typer carries its own copy of click, whose exceptions have no public name.
        explain = getattr(error, "format_message", None)
        if explain is None:
            raise
        _fail(*filter(None, [" ".join(explain().split())]))


def _fail(*lines: str) -> NoReturn:
    for line in lines:
        print(f"error: {line}", file=sys.stderr)
    sys.exit(USER_ERROR)


def _parse_mirrors(options: list[str]) -> dict[str, str]:
    """Return the mirrors of the environment, overruled by those that were typed."""
    try:
        named = mirrors.parse_mirrors(filter(None, os.environ.get("WASMOOR_MIRRORS", "").split(",")))
        return {**named, **mirrors.parse_mirrors(options)}
    except ValueError as error:
        raise UserError(str(error)) from error
