"""From manifests to hosts: validates, chooses policies, resolves tags, and renders the contract an operator would.

Pure but for resolving. What is wrong with one manifest's words is a `UserError` for all; what only shows when a
component starts (its policy is missing, its tag is not there) is that component's own failure. Called by `serve`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from wasmoor_runtime.artifacts import addresses
from wasmoor_runtime.cli.manifests import COMPONENT, CONFIG_MAP, POLICY, Document, Reading, read_data
from wasmoor_runtime.cli.problems import UserError
from wasmoor_runtime.cli.schemas import Schemas
from wasmoor_runtime.contract.document import ComponentRef, Contract
from wasmoor_runtime.contract.spec import (
    Artifacts,
    ConfigMapSource,
    Execution,
    FileSource,
    HttpSource,
    Limits,
    OciSource,
    Source,
    SourceMember,
    Tools,
)
from wasmoor_runtime.errors import Stalled
from wasmoor_runtime.policy import contracts, limits, rules, selection
from wasmoor_runtime.ports import AdvisorySource
from wasmoor_runtime.sources import pinning
from wasmoor_runtime.sources.advisories import ListedAdvisories
from wasmoor_runtime.sources.cache import Cache

ModelT = TypeVar("ModelT", bound=BaseModel)

# What a component says to a cluster. Serving without one does not need it, and says so.
_CLUSTER_FIELDS = frozenset({"replicas", "resources", "podTemplate", "service"})


class Loadable(Protocol):
    """A component that a command can load."""

    @property
    def ref(self) -> ComponentRef:
        """Which component it is."""

    @property
    def where(self) -> str:
        """Where it comes from, for people."""

    @property
    def advisories(self) -> AdvisorySource:
        """Where the advisories are that its policy names."""

    async def discover(self) -> Contract:
        """Return the contract; raises `Stalled` or `Waiting`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One component of a manifest."""

    ref: ComponentRef
    source: SourceMember
    tools: Tools
    execution: Execution
    policy_ref: str | None
    policies: tuple[selection.NamedPolicy, ...]
    cache: Cache
    settings: pinning.Settings
    config_maps: Mapping[str, Mapping[str, bytes]]

    @property
    def id(self) -> str:
        """`namespace/name`."""
        return f"{self.ref.namespace}/{self.ref.name}"

    @property
    def path(self) -> str:
        """Where it is served."""
        return f"/{self.id}/mcp"

    @property
    def where(self) -> str:
        """Where it comes from, for people."""
        return _show_source(self.source)

    @property
    def advisories(self) -> AdvisorySource:
        """The ConfigMaps among the manifests."""
        return ListedAdvisories(self.config_maps)

    def select_policy(self) -> selection.Selection:
        """Return the policy that applies, checked against what the component asks for; raises `Stalled`."""
        policy = selection.select_policy(self.policy_ref, self.policies)
        limits.call_limits(policy.limits, self.execution)
        rules.check_rules(policy.artifacts)
        return policy

    def means_the_same(self, other: Plan) -> bool:
        """Return whether both would be served alike, whatever else their manifests say."""
        return self._meaning() == other._meaning()

    async def discover(self) -> Contract:
        """Return the contract, with the tag resolved; raises `Stalled` or `Waiting`."""
        policy = self.select_policy()  # before a registry is asked for nothing
        pinned = await pinning.pin(self.source, self.cache, self.settings, self.config_maps)
        return contracts.render_contract(
            component=self.ref, source=pinned, policy=policy, tools=self.tools, execution=self.execution
        )

    def _meaning(self) -> tuple[object, ...]:
        policy: object
        advisories: object = None
        try:
            policy = chosen = self.select_policy()
            if chosen.artifacts.advisories is not None:
                advisories = self.config_maps.get(chosen.artifacts.advisories.name)
        except Stalled as fault:
            policy = (fault.reason, fault.message)
        data = self.config_maps.get(self.source.name) if isinstance(self.source, ConfigMapSource) else None
        return (self.ref, self.source, self.tools, self.execution, policy, advisories, data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """What to serve, and what to tell about what is not."""

    plans: tuple[Plan, ...]
    notes: tuple[str, ...]


def decide_plans(reading: Reading, schemas: Schemas, cache: Cache, settings: pinning.Settings) -> Assembly:
    """Return what to serve; `UserError` has a line for everything that is wrong in any manifest."""
    own = [document for document in reading.documents if document.kind != CONFIG_MAP]
    problems = [line for document in own for line in schemas.explain(document)]
    if problems:
        raise UserError(*problems)
    components = [d for d in reading.documents if d.kind == COMPONENT]
    policies = [d for d in reading.documents if d.kind == POLICY]
    config_maps = [d for d in reading.documents if d.kind == CONFIG_MAP]
    notes = list(reading.notes)
    plans: list[Plan] = []
    for document in components:
        if document.spec.get("suspend"):
            notes.append(f"{document}: skipped: spec.suspend is true")
            continue
        if unused := sorted(_CLUSTER_FIELDS & set(document.spec)):
            notes.append(f"{document}: spec.{', spec.'.join(unused)}: means nothing without a cluster")
        plans.append(_decide_plan(document, policies, config_maps, (cache, settings)))
    if not plans:
        raise UserError(*[f"note: {note}" for note in notes], f"nothing to serve: no {COMPONENT} was found")
    return Assembly(plans=tuple(plans), notes=tuple(notes))


def _decide_plan(
    document: Document,
    policies: Iterable[Document],
    config_maps: Iterable[Document],
    pulling: tuple[Cache, pinning.Settings],
) -> Plan:
    spec = document.spec
    reference = spec.get("policyRef") or {}
    return Plan(
        ref=ComponentRef(namespace=document.namespace, name=document.name),
        source=_parse(Source, spec["source"], document, "spec.source").member,
        tools=_parse(Tools, spec.get("tools") or {}, document, "spec.tools"),
        execution=_parse(Execution, spec.get("execution") or {}, document, "spec.execution"),
        policy_ref=reference.get("name"),
        policies=_named_policies([policy for policy in policies if policy.namespace == document.namespace]),
        cache=pulling[0],
        settings=pulling[1],
        config_maps={d.name: read_data(d) for d in config_maps if d.namespace == document.namespace},
    )


def _show_source(source: SourceMember) -> str:
    if isinstance(source, OciSource):
        return source.reference
    if isinstance(source, HttpSource):
        return addresses.show_url(source.url)
    return source.path if isinstance(source, FileSource) else f"ConfigMap {source.name}"


def _named_policies(documents: Sequence[Document]) -> tuple[selection.NamedPolicy, ...]:
    return tuple(
        selection.NamedPolicy(
            name=document.name,
            default=bool(document.spec.get("default", False)),
            limits=_parse(Limits, document.spec.get("limits") or {}, document, "spec.limits"),
            artifacts=_parse(Artifacts, document.spec.get("artifacts") or {}, document, "spec.artifacts"),
        )
        for document in documents
    )


def _parse(model: type[ModelT], value: Any, document: Document, where: str) -> ModelT:
    """Return the model; what the schema let pass and the model does not is told like any other problem."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise UserError(
            *(
                f"{document}: {where}{''.join(f'.{part}' for part in problem['loc'])}: {problem['msg']}"
                for problem in error.errors()
            )
        ) from error
