"""From manifests to hosts: validates, chooses policies, resolves tags, and renders the contract an operator would.

Pure but for resolving. What is wrong with one manifest's words is a `UserError` for all; what only shows when a
component starts (its policy is missing, its tag is not there) is that component's own failure. Called by `serve`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from wasmoor_runtime.cli.manifests import COMPONENT, POLICY, Document, Reading
from wasmoor_runtime.cli.problems import UserError
from wasmoor_runtime.cli.schemas import Schemas
from wasmoor_runtime.contract.document import ComponentRef, Contract
from wasmoor_runtime.contract.spec import Execution, Limits, OciSource, Tools
from wasmoor_runtime.policy import contracts, limits, selection
from wasmoor_runtime.sources import oci

ModelT = TypeVar("ModelT", bound=BaseModel)

# What a component says to a cluster. Serving without one does not need it, and says so.
_CLUSTER_FIELDS = frozenset({"replicas", "resources", "podTemplate", "service"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One component to serve."""

    ref: ComponentRef
    source: OciSource
    tools: Tools
    execution: Execution
    policy_ref: str | None
    policies: tuple[selection.NamedPolicy, ...]
    mirrors: Mapping[str, str]

    @property
    def path(self) -> str:
        """Where it is served."""
        return f"/{self.ref.namespace}/{self.ref.name}/mcp"

    async def discover(self) -> Contract:
        """Return the contract, with the tag resolved; raises `Stalled` or `Waiting`."""
        policy = selection.select_policy(self.policy_ref, self.policies)
        limits.call_limits(policy.limits, self.execution)  # before a registry is asked for nothing
        resolved = await oci.resolve(self.source.reference, insecure=self.source.insecure, mirror_urls=self.mirrors)
        return contracts.render_contract(
            component=self.ref,
            source=self.source,
            digest=resolved.digest,
            policy=policy,
            tools=self.tools,
            execution=self.execution,
            pulls=contracts.PullSettings(mirrors=self.mirrors),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """What to serve, and what to tell about what is not."""

    plans: tuple[Plan, ...]
    notes: tuple[str, ...]


def decide_plans(reading: Reading, schemas: Schemas, mirrors: Mapping[str, str]) -> Assembly:
    """Return what to serve; `UserError` has a line for everything that is wrong in any manifest."""
    problems = [line for document in reading.documents for line in schemas.explain(document)]
    if problems:
        raise UserError(*problems)
    components = [d for d in reading.documents if d.kind == COMPONENT]
    policies = [d for d in reading.documents if d.kind == POLICY]
    notes = list(reading.notes)
    plans: list[Plan] = []
    for document in components:
        if document.spec.get("suspend"):
            notes.append(f"{document}: skipped: spec.suspend is true")
            continue
        if unused := sorted(_CLUSTER_FIELDS & set(document.spec)):
            notes.append(f"{document}: spec.{', spec.'.join(unused)}: means nothing without a cluster")
        plans.append(_decide_plan(document, policies, mirrors))
    if not plans:
        raise UserError(*[f"note: {note}" for note in notes], f"nothing to serve: no {COMPONENT} was found")
    return Assembly(plans=tuple(plans), notes=tuple(notes))


def _decide_plan(document: Document, policies: Iterable[Document], mirrors: Mapping[str, str]) -> Plan:
    spec = document.spec
    reference = spec.get("policyRef") or {}
    return Plan(
        ref=ComponentRef(namespace=document.namespace, name=document.name),
        source=_parse(OciSource, spec["source"]["oci"], document, "spec.source.oci"),
        tools=_parse(Tools, spec.get("tools") or {}, document, "spec.tools"),
        execution=_parse(Execution, spec.get("execution") or {}, document, "spec.execution"),
        policy_ref=reference.get("name"),
        policies=_named_policies([policy for policy in policies if policy.namespace == document.namespace]),
        mirrors=mirrors,
    )


def _named_policies(documents: Sequence[Document]) -> tuple[selection.NamedPolicy, ...]:
    return tuple(
        selection.NamedPolicy(
            name=document.name,
            default=bool(document.spec.get("default", False)),
            limits=_parse(Limits, document.spec.get("limits") or {}, document, "spec.limits"),
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
