"""Which component a command is about: one of a manifest, by its name, or one at a location.

    wasmoor component call text slugify -f examples/        the WasmComponent `text` of these manifests
    wasmoor component call ./text.wasm slugify              a file, with the built-in policy: nothing is allowed
    wasmoor component call oci://ghcr.io/acme/text:1 slugify

Reads manifests; nothing is fetched before `discover`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wasmoor_runtime.artifacts import addresses
from wasmoor_runtime.cli import assembly, manifests, schemas
from wasmoor_runtime.cli.problems import UserError
from wasmoor_runtime.contract.document import ComponentRef, Contract
from wasmoor_runtime.host.validation import NoAdvisories
from wasmoor_runtime.ports import AdvisorySource
from wasmoor_runtime.sources import pinning
from wasmoor_runtime.sources.cache import Cache

# The namespace of components that no manifest gives one.
LOCAL = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to look for components, and how to ask registries."""

    cache: Cache
    manifests: Path | None = None
    insecure: bool = False
    mirrors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A component at a location, with the built-in policy."""

    ref: ComponentRef
    where: str
    cache: Cache
    settings: pinning.Settings

    @property
    def advisories(self) -> AdvisorySource:
        """None: no policy applies."""
        return NoAdvisories()

    async def discover(self) -> Contract:
        """Fetch it, and return a contract that names exactly these bytes; raises `Stalled` or `Waiting`."""
        found = await pinning.fetch_uri(self.where, self.cache, settings=self.settings)
        if found.note:
            print(f"note: {found.note}", file=sys.stderr)
        return Contract(component=self.ref, source=found.source)


def find_component(target: str, place: Place) -> assembly.Loadable:
    """Return what to load; `UserError` says why the target names no component."""
    settings = pinning.Settings(mirrors=place.mirrors, insecure=place.insecure)
    if place.manifests is not None:
        reading = manifests.read_manifests(place.manifests)
        plans = assembly.decide_plans(reading, schemas.load_schemas(), place.cache, settings).plans
        return _find_named(target, plans, place.manifests)
    try:
        address = addresses.parse_location(target)
    except ValueError as error:
        raise UserError(str(error)) from error
    if isinstance(address, addresses.FileAddress) and not address.path.exists():
        hint = "name a file, oci://registry/repository:tag, https://…, or a component of manifests with -f"
        raise UserError(f"{address.path}: no such file: {hint}")
    ref = ComponentRef(namespace=LOCAL, name=decide_name(target))
    return Located(ref=ref, where=target, cache=place.cache, settings=settings)


def decide_name(target: str) -> str:
    """Return a component's name from its location: `text` for `oci://ghcr.io/acme/text:1` and `./Text.wasm`."""
    last = re.split(r"[?#@]", target, maxsplit=1)[0].rstrip("/").rpartition("/")[2]
    words = re.sub(r"[^a-z0-9]+", "-", last.partition(":")[0].removesuffix(".wasm").lower()).strip("-")
    return words[:63].strip("-") or "component"


def _find_named(target: str, plans: tuple[assembly.Plan, ...], where: Path) -> assembly.Plan:
    found = [plan for plan in plans if target in {plan.ref.name, plan.id}]
    if len(found) == 1:
        return found[0]
    known = ", ".join(plan.id for plan in (found or plans))
    if found:
        raise UserError(f"{target}: several components of {where} have this name; write one of {known}")
    raise UserError(f"{target}: no WasmComponent of {where} has this name; there are {known}")
