"""What a component has to pass before a version of it may run: two ordered chains of named gates. Pure.

A gate answers None, or the fault that stops the new version. The order of a chain is the order in which people are told
what is wrong; the first hit wins. A version that runs already goes on running whatever the gates say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from wasmoor_operator import errors
from wasmoor_operator.api.component import WasmComponentSpec
from wasmoor_operator.conditions import Condition, State, Type
from wasmoor_operator.decide import resolution
from wasmoor_operator.decide.model import Observed
from wasmoor_operator.decide.resolution import Known
from wasmoor_operator.reasons import Reason
from wasmoor_operator.settings import RenderSettings
from wasmoor_runtime import errors as runtime_errors
from wasmoor_runtime.contract.document import ComponentRef, Contract
from wasmoor_runtime.contract.spec import (
    Artifacts,
    ConfigMapSource,
    FileSource,
    HttpSource,
    Limits,
    OciSource,
    SourceMember,
)
from wasmoor_runtime.policy import contracts, limits, rules, selection


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What the gates found."""

    resolved: Condition
    policy: Condition
    known: Known | None
    """The digest to run; None when none was ever found for this reference."""
    selected: selection.Selection | None
    """The policy that applies."""
    contract: Contract | None
    """What pods are to serve; None when a gate stops it."""
    fault: errors.OperatorFault | None
    """The first thing that stops it, or that keeps the reference from being looked up."""


_SOURCE_FIELDS: Mapping[type[SourceMember], str] = {
    OciSource: "spec.source.oci.reference",
    HttpSource: "spec.source.http.url",
    ConfigMapSource: "spec.source.configMap",
    FileSource: "spec.source.file.path",
}

Gate = Callable[[Observed], errors.OperatorFault | None]


def admit(observed: Observed, settings: RenderSettings) -> Admission:
    """Return how far the component gets and, if it passes, its contract."""
    source_fault = _first(SOURCE_GATES, observed)
    policy_fault = _first(POLICY_GATES, observed)
    known = None if _is_unusable(source_fault) else resolution.find_known(observed)
    chosen = None if policy_fault else select_policy(observed)
    contract = None
    if observed.component.spec is not None and known is not None and chosen is not None:
        contract = _build_contract(observed, observed.component.spec, known, chosen, settings)
    return Admission(
        resolved=_resolved(source_fault, known),
        policy=_policy(policy_fault, chosen),
        known=known,
        selected=chosen,
        contract=contract,
        fault=source_fault or policy_fault,
    )


def spec_is_understood(observed: Observed) -> errors.OperatorFault | None:
    """Stop a spec that this version of the operator cannot read."""
    if observed.component.spec is not None:
        return None
    return errors.Stalled(Reason.SPEC_INVALID, f"{observed.component.problem}; the CRDs and the operator may differ")


def source_is_well_formed(observed: Observed) -> errors.OperatorFault | None:
    """Stop what is no OCI reference, no URL, or no path."""
    source = _spec(observed).source.member
    try:
        contracts.check_source(source)
    except ValueError as error:
        return errors.Stalled(Reason.REFERENCE_INVALID, f"{_SOURCE_FIELDS[type(source)]}: {error}")
    return None


def source_is_known(observed: Observed) -> errors.OperatorFault | None:
    """Stop what a registry refuses or does not have, and wait for one that does not answer; so for a ConfigMap."""
    source = resolution.find_asked(observed.component)
    if source is None:
        return None
    answer = resolution.find_answer(observed, source)
    if answer is not None:
        return answer.fault
    if resolution.resolved_at(observed.component, source) is not None:
        return None
    who = "the registry" if isinstance(source, OciSource) else "the API server"
    text = f"{who} is being asked about {resolution.name_source(source)}"
    return errors.Waiting(Reason.PENDING, text, delay=1.0)


def policy_is_found(observed: Observed) -> errors.OperatorFault | None:
    """Stop a component whose policy is missing, ambiguous or unreadable."""
    return _translate(lambda: select_policy(observed))


def limits_are_within_policy(observed: Observed) -> errors.OperatorFault | None:
    """Stop a component that asks for more than its policy allows."""
    return _translate(lambda: limits.call_limits(select_policy(observed).limits, _spec(observed).execution))


def artifact_is_allowed(observed: Observed) -> errors.OperatorFault | None:
    """Stop a version that the policy denies; pods check it again, with its size and what is inside it."""
    known = resolution.find_known(observed)

    def check() -> None:
        artifacts = select_policy(observed).artifacts
        rules.check_rules(artifacts)
        rules.check_digests(rules.render_rules(artifacts), known.digest if known else None)

    return _translate(check)


SOURCE_GATES: tuple[Gate, ...] = (spec_is_understood, source_is_well_formed, source_is_known)
POLICY_GATES: tuple[Gate, ...] = (
    spec_is_understood,
    policy_is_found,
    limits_are_within_policy,
    artifact_is_allowed,
)


def select_policy(observed: Observed) -> selection.Selection:
    """Return the policy that applies; raises the runtime's `Stalled` when that cannot be told."""
    ref = _spec(observed).policy_ref
    return selection.select_policy(
        ref.name if ref else None,
        [
            selection.NamedPolicy(
                name=policy.name,
                default=policy.spec.default if policy.spec else False,
                limits=policy.spec.limits if policy.spec else Limits(),
                artifacts=policy.spec.artifacts if policy.spec else Artifacts(),
                problem=policy.problem,
            )
            for policy in observed.policies
        ],
    )


def _is_unusable(fault: errors.OperatorFault | None) -> bool:
    """Return whether the source itself is wrong, so that no digest can be taken from it."""
    return fault is not None and fault.reason in {Reason.SPEC_INVALID, Reason.REFERENCE_INVALID}


def _first(gates: tuple[Gate, ...], observed: Observed) -> errors.OperatorFault | None:
    """Return the first fault; gates behind it are not asked."""
    return next((fault for gate in gates if (fault := gate(observed)) is not None), None)


def _spec(observed: Observed) -> WasmComponentSpec:
    """Return the spec; only gates behind `spec_is_understood` may ask."""
    if observed.component.spec is None:
        raise errors.OperatorFault(Reason.INTERNAL, "a gate was asked about a spec that was not understood")
    return observed.component.spec


def _translate(check: Callable[[], object]) -> errors.OperatorFault | None:
    """Return the operator's fault for one that the shared policy code raises."""
    try:
        check()
    except runtime_errors.Stalled as fault:
        return errors.Stalled(Reason(fault.reason), fault.message)
    return None


def _build_contract(
    observed: Observed,
    spec: WasmComponentSpec,
    known: Known,
    chosen: selection.Selection,
    settings: RenderSettings,
) -> Contract:
    """Return the contract of a component that passed."""
    return contracts.render_contract(
        component=ComponentRef(namespace=observed.component.namespace, name=observed.component.name),
        source=contracts.pin_source(
            spec.source.member,
            known.digest or None,
            version=known.version,
            pulls=contracts.PullSettings(mirrors=settings.mirrors, max_bytes=settings.max_artifact_bytes),
        ),
        policy=chosen,
        tools=spec.tools,
        execution=spec.execution,
    )


def _resolved(fault: errors.OperatorFault | None, known: Known | None) -> Condition:
    """Return `Resolved`: a registry that is down makes it Unknown, never False."""
    if fault is None and known is not None:
        return Condition(
            type=Type.RESOLVED,
            state=State.TRUE,
            reason=Reason.RESOLVED,
            message=_describe(known),
        )
    if fault is None:
        fault = errors.Waiting(Reason.PENDING, "nothing is known yet", delay=1.0)
    state = State.FALSE if isinstance(fault, errors.Stalled) else State.UNKNOWN
    kept = f"; {known.digest or f'version {known.version}'} is kept until then" if known else ""
    return Condition(type=Type.RESOLVED, state=state, reason=fault.reason, message=f"{fault.message}{kept}")


def _describe(known: Known) -> str:
    """Return what the source names, and who knows its digest."""
    if known.digest:
        return f"{known.reference} is {known.digest}"
    version = f" is there in version {known.version}" if known.version else " is read by pods"
    return f"{known.reference}{version}; pods find out its digest"


def _policy(fault: errors.OperatorFault | None, chosen: selection.Selection | None) -> Condition:
    """Return `PolicyApplied`."""
    if fault is not None:
        return Condition(type=Type.POLICY_APPLIED, state=State.FALSE, reason=fault.reason, message=fault.message)
    name = chosen.applied.name if chosen else None
    what = f"the ComponentPolicy {name} applies" if name else "the built-in policy applies: nothing but limits on calls"
    return Condition(type=Type.POLICY_APPLIED, state=State.TRUE, reason=Reason.POLICY_APPLIED, message=what)
