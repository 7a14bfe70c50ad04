"""`wasmoor component …`: look into a component, load it, call it, push it; and what a running `serve` has."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wasmoor_runtime.cli import arguments, exits, options, output
from wasmoor_runtime.cli.problems import UserError
from wasmoor_runtime.settings import DEFAULT_ADMIN_PORT

if TYPE_CHECKING:
    from wasmoor_runtime.cli.assembly import Loadable
    from wasmoor_runtime.engine.inspector import Inspection

app = typer.Typer(help="Work with components.", no_args_is_help=True)

Target = Annotated[str, typer.Argument(help="A file, oci://…, https://…#sha256=…, or with -f a name in manifests.")]


@app.command()
def inspect(
    target: Target,
    manifests: options.Manifests = None,
    cache: options.Cache = None,
    mirror: options.MirrorList = None,
    insecure: options.Insecure = False,
    chosen: output.Chosen = output.Format.TABLE,
) -> None:
    """Show what a component is: metadata, imports, exports, tools, sections, packages. It is not run."""
    from wasmoor_runtime.cli import inspecting, loading

    plan = _find(target, manifests, cache, mirror, insecure=insecure)

    async def run() -> Inspection:
        blob = await loading.fetch_component(plan, options.choose_cache(cache))
        if blob.policy_digest:
            print(f"note: the artifact carries the policy {blob.policy_digest}, which is not applied", file=sys.stderr)
        return await inspecting.inspect(blob)

    found = asyncio.run(run())
    if chosen is output.Format.TABLE:
        inspecting.write_report(found)
    else:
        output.show(found.to_json(), chosen)
    raise typer.Exit(exits.Exit.REFUSED if found.missing else exits.Exit.OK)


@app.command()
def load(
    target: Target,
    trace: Annotated[bool, typer.Option("--trace", help="Tell each step on stderr as it begins.")] = False,
    manifests: options.Manifests = None,
    cache: options.Cache = None,
    mirror: options.MirrorList = None,
    insecure: options.Insecure = False,
    chosen: output.Chosen = output.Format.TABLE,
) -> None:
    """Load a component as a pod would, say how long each step took, and end it again."""
    from wasmoor_runtime.cli import loading

    plan = _find(target, manifests, cache, mirror, insecure=insecure)
    noted = loading.Trace(_tell_step if trace else None)

    async def run() -> dict[str, Any]:
        noted.note("Discovering", f"finding {plan.where}")
        async with loading.open_component(plan, options.choose_cache(cache), noted) as host:
            status = host.status()
            steps = [
                {"at": round(step.at, 4), "seconds": round(seconds, 4), "phase": step.phase, "step": step.what}
                for step, seconds in noted.measure()
            ]
        return {
            "component": host.id,
            "digest": status.artifact.digest if status.artifact else "",
            "tools": [tool.name for tool in status.tools],
            "unserved": [each.model_dump() for each in status.unserved],
            "steps": steps,
        }

    found = asyncio.run(run())
    rows = [(f"{each['at']:.3f}", f"{each['seconds']:.3f}", each["phase"], each["step"]) for each in found["steps"]]
    output.show(found, chosen, output.render_rows(("AT", "SECONDS", "PHASE", "STEP"), rows))


@app.command()
def call(
    target: Target,
    tool: Annotated[str, typer.Argument(help="The tool's name, or the function's id.")],
    args: options.Json = "{}",
    param: options.Parameters = None,
    monitor: Annotated[bool, typer.Option("--monitor", help="Show what the call used.")] = False,
    manifests: options.Manifests = None,
    cache: options.Cache = None,
    mirror: options.MirrorList = None,
    insecure: options.Insecure = False,
    chosen: output.Chosen = output.Format.JSON,
) -> None:
    """Load a component, call one of its tools, print the result, and end it again."""
    from wasmoor_runtime.cli import calling

    plan = _find(target, manifests, cache, mirror, insecure=insecure)
    given = arguments.parse_arguments(args)
    called = asyncio.run(calling.call_component(plan, tool, given, param or (), options.choose_cache(cache)))
    if called.error:
        print(called.error, file=sys.stderr)
    if monitor:
        output.show({"answer": called.answer, "verdict": called.verdict, "usage": called.usage}, chosen)
    elif called.answer is not None:
        output.show(called.answer, chosen)
    raise typer.Exit(exits.decide_call_exit(called.verdict))


@app.command("list")
def show_list(
    url: Annotated[
        str, typer.Option(help="The admin port of a running `wasmoor serve` or of a pod.")
    ] = f"http://127.0.0.1:{DEFAULT_ADMIN_PORT}",
    chosen: output.Chosen = output.Format.TABLE,
) -> None:
    """List the components that a running `wasmoor serve` has, and how far each is."""
    from wasmoor_runtime.cli import listing

    status = asyncio.run(listing.fetch_status(url))
    output.show(json.loads(status.model_dump_json(by_alias=True)), chosen, listing.render_status(status))


@app.command()
def push(
    file: Annotated[Path, typer.Argument(help="The component, a .wasm file.")],
    reference: Annotated[str, typer.Argument(help="Where to: registry/repository:tag, with or without oci://.")],
    mirror: options.MirrorList = None,
    insecure: options.Insecure = False,
    chosen: output.Chosen = output.Format.TABLE,
) -> None:
    """Push a component to an OCI registry and print the reference that pins it."""
    from wasmoor_runtime.cli import pushing

    result = asyncio.run(
        pushing.push(file, reference.removeprefix("oci://"), insecure=insecure, mirrors=options.parse_mirrors(mirror))
    )
    if chosen is output.Format.TABLE:
        print(result.reference)
    else:
        output.show(asdict(result), chosen)


def _find(
    target: str, manifests: Path | None, cache: Path | None, mirror: list[str] | None, *, insecure: bool
) -> Loadable:
    """Return what a target names. What it takes to find it is loaded now: help and completion do without."""
    from wasmoor_runtime.cli import targets
    from wasmoor_runtime.sources.cache import Cache

    if manifests is not None and insecure:
        raise UserError("--insecure with -f: write insecure: true under spec.source.oci of the manifest")
    place = targets.Place(
        cache=Cache(options.choose_cache(cache)),
        manifests=manifests,
        insecure=insecure,
        mirrors=options.parse_mirrors(mirror),
    )
    return targets.find_component(target, place)


def _tell_step(step: Any) -> None:
    print(f"{step.at:8.3f} s  {step.phase}: {step.what}", file=sys.stderr)
