"""The commands of `wasmoor`: what can be typed, and how errors come out. Everything else is behind it.

An error that a person can cause is one line on stderr and an exit code of `exits`; nobody sees a traceback for it.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import platform
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from wasmoor_runtime.cli import arguments, cached, component, exits, options, output, policies
from wasmoor_runtime.cli.exits import Exit
from wasmoor_runtime.cli.problems import UserError
from wasmoor_runtime.errors import RuntimeFault
from wasmoor_runtime.settings import DEFAULT_ADMIN_PORT, DEFAULT_PORT, Addresses

app = typer.Typer(
    help="Serve WebAssembly components as MCP tools.", no_args_is_help=True, pretty_exceptions_enable=False
)
app.add_typer(component.app, name="component")
app.add_typer(policies.app, name="policy")
app.add_typer(cached.app, name="cache")


@app.command()
def serve(
    file: Annotated[Path, typer.Option("--file", "-f", help="A manifest, or a directory of them; watched.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port for MCP.")] = DEFAULT_PORT,
    admin_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port for health, status and metrics.")
    ] = DEFAULT_ADMIN_PORT,
    cache: options.Cache = None,
    cache_size: options.CacheSize = "10Gi",
    tag_ttl: options.TagTtl = "0s",
    mirror: options.MirrorList = None,
    stdio: Annotated[
        bool, typer.Option("--stdio", help="Speak MCP on standard input and output instead of two ports.")
    ] = False,
    log_format: Annotated[str, typer.Option(help="auto, json or text.")] = "auto",
    log_arguments: Annotated[
        bool, typer.Option("--log-arguments", help="Log arguments and results, without what looks secret.")
    ] = False,
    events_sink: Annotated[str, typer.Option(metavar="URL", help="Where lifecycle events go, as CloudEvents.")] = "",
) -> None:
    """Serve the manifests of a cluster on this machine, each at /NAMESPACE/NAME/mcp and all of them at /mcp."""
    from wasmoor_runtime.cli import serve as command
    from wasmoor_runtime.telemetry.observers import Wishes

    if log_format not in {"auto", "json", "text"}:
        raise UserError(f"--log-format {log_format}: write auto, json or text")
    chosen = command.Options(
        path=file,
        addresses=Addresses(host=host, port=port, admin_host=host, admin_port=admin_port),
        cache=options.choose_cache(cache),
        cache_bytes=options.parse_cache_size(cache_size),
        tag_ttl=options.parse_tag_ttl(tag_ttl),
        mirrors=options.parse_mirrors(mirror),
        log_format=log_format,  # type: ignore[arg-type]
        wishes=Wishes(events_sink=events_sink, log_arguments=log_arguments),
    )
    raise typer.Exit(command.serve_stdio(chosen) if stdio else command.serve(chosen))


@app.command()
def call(
    url: Annotated[str, typer.Argument(help="The MCP endpoint, http://…/mcp.")],
    tool: Annotated[str, typer.Argument(help="The tool's name.")],
    args: options.Json = "{}",
    param: options.Parameters = None,
    timeout: Annotated[float, typer.Option(min=0.001, help="Seconds to wait.")] = 60.0,
    chosen: output.Chosen = output.Format.JSON,
) -> None:
    """Call a tool of an MCP server and print what it answers."""
    from wasmoor_runtime.cli import call as command

    if not url.startswith(("http://", "https://")):
        raise UserError(f"{url}: write a URL that begins with http:// or https://")
    given = arguments.parse_arguments(args)
    answer = asyncio.run(command.call(url, tool, given, param or (), seconds=timeout))
    if answer.error:
        print(answer.error, file=sys.stderr)
    else:
        output.show(answer.value, chosen)
    raise typer.Exit(answer.code)


@app.command()
def version(chosen: output.Chosen = output.Format.TABLE) -> None:
    """Print the versions of what matters."""
    found = {name: importlib.metadata.version(name) for name in ("wasmoor", "wasmtime", "mcp")}
    found["python"] = platform.python_version()
    if chosen is output.Format.TABLE:
        print(
            f"wasmoor {found['wasmoor']} (wasmtime {found['wasmtime']}, mcp {found['mcp']}, Python {found['python']})"
        )
    else:
        output.show(found, chosen)


def run() -> None:
    """Run what was typed and end the process with its exit code."""
    try:
        sys.exit(app(standalone_mode=False))
    except UserError as error:
        _fail(error.code, *error.lines)
    except RuntimeFault as fault:
        _fail(exits.decide_exit(fault.reason), f"{fault.reason}: {fault.message}")
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(Exit.INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has seen enough. The interpreter must not try to write the rest at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(Exit.OK)
    except Exception as error:  # noqa: BLE001 - nobody should have to read a traceback
        # What cannot be parsed: typer carries its own copy of click, whose exceptions have no public name.
        explain = getattr(error, "format_message", None)
        if explain is not None:
            _fail(Exit.USAGE, *filter(None, [" ".join(explain().split())]))
        _fail_by_defect(error)


def _fail(code: Exit, *lines: str) -> NoReturn:
    for line in lines:
        print(f"error: {' '.join(line.split())}", file=sys.stderr)
    sys.exit(code)


def _fail_by_defect(error: BaseException) -> NoReturn:
    if os.environ.get("WASMOOR_DEBUG"):
        traceback.print_exception(error)
    what: Any = str(error) or "no message"
    _fail(
        Exit.DEFECT, f"a defect in wasmoor: {type(error).__name__}: {what}; WASMOOR_DEBUG=1 shows where, please report"
    )
