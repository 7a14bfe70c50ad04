"""`Loaded` and `Registered`: what the pods of the current contract say, and what a real MCP client got from one. Pure.

Rules are tried in order and the first that has something to say wins. What cannot be asked at the moment keeps what is
stored, so that a restart of the operator writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wasmoor_operator import errors
from wasmoor_operator.conditions import Condition, State, Type, find_condition
from wasmoor_operator.decide import resolution
from wasmoor_operator.decide import rollout as rollouts
from wasmoor_operator.decide.model import Observed, Pod
from wasmoor_operator.decide.rollout import Rollout
from wasmoor_operator.reasons import Reason
from wasmoor_runtime.contract import status as pod_status
from wasmoor_runtime.contract.document import Contract

# Restarts of one container after which waiting will not help.
CRASH_LOOP = 3
# Functions that cannot be served, in a message.
_UNSERVED_SHOWN = 3

_LOADED_PHASES = frozenset({pod_status.Phase.REGISTERING, pod_status.Phase.RUNNING, pod_status.Phase.STOPPING})
# These failures come after loading: the bytes are good, but there is nothing to register.
_REGISTRATION_FAILURES = frozenset({Reason.NO_TOOLS, Reason.TOOL_NAME_CONFLICT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a rule found; `fault` when somebody has to act."""

    state: State
    reason: Reason
    message: str
    fault: errors.Stalled | None = None

    def as_condition(self, kind: Type) -> Condition:
        """Return it as a condition."""
        return Condition(type=kind, state=self.state, reason=self.reason, message=self.message)


Rule = Callable[[Observed, Rollout], Verdict | None]


def judge_loaded(observed: Observed, rollout: Rollout) -> Verdict:
    """Return whether every ready pod pulled, checked and compiled the current version."""
    return _judge(LOADED_RULES, observed, rollout, "pods of this version are being started")


def judge_registered(observed: Observed, rollout: Rollout, loaded: Verdict) -> Verdict:
    """Return whether an MCP client could list the current version's tools."""
    found = next((verdict for rule in REGISTERED_RULES if (verdict := rule(observed, rollout)) is not None), None)
    if found is not None:
        return found
    reason = Reason.LOADING if loaded.state is State.TRUE else loaded.reason
    return Verdict(state=State.UNKNOWN, reason=reason, message="no pod of this version can be asked for its tools yet")


def no_version_is_known(_: Observed, rollout: Rollout) -> Verdict | None:
    """There is nothing to load."""
    if rollout.contract is not None:
        return None
    return Verdict(state=State.UNKNOWN, reason=Reason.PENDING, message="there is no version to load yet")


def no_pod_is_wanted(observed: Observed, rollout: Rollout) -> Verdict | None:
    """The component is suspended or scaled to zero."""
    if rollout.wanted:
        return None
    field = "spec.suspend is true" if observed.component.spec and observed.component.spec.suspend else "no replicas"
    return Verdict(state=State.UNKNOWN, reason=Reason.SUSPENDED, message=f"{field}: no pod is wanted")


def the_deployment_is_paused(observed: Observed, rollout: Rollout) -> Verdict | None:
    """Somebody paused the Deployment, so that Kubernetes makes no pod of this version."""
    if not rollouts.is_paused(rollout):
        return None
    who = observed.component
    resume = f"kubectl rollout resume deployment/{who.name} -n {who.namespace}"
    return _stalled(Reason.PODS_NOT_READY, f"the Deployment is paused and makes no pods of this version; {resume}")


def a_ready_pod_says_loaded(observed: Observed, rollout: Rollout) -> Verdict | None:
    """At least one ready pod says that it has the component loaded; others of the version follow."""
    if rollout.contract is None or not any(_has_loaded(observed, pod) for pod in rollout.current):
        return None
    message = _describe_loaded(observed, rollout.contract)
    return Verdict(state=State.TRUE, reason=Reason.LOADED, message=message)


def nothing_to_register(observed: Observed, rollout: Rollout) -> Verdict | None:
    """The component was loaded, but none of what it exports can be a tool."""
    failed = _failed_report(observed, rollout)
    if failed is None or Reason(failed.reason) not in _REGISTRATION_FAILURES or rollout.contract is None:
        return None
    message = _describe_loaded(observed, rollout.contract)
    return Verdict(state=State.TRUE, reason=Reason.LOADED, message=message)


def a_pod_says_failed(observed: Observed, rollout: Rollout) -> Verdict | None:
    """A pod says that it cannot serve this version, and why."""
    failed = _failed_report(observed, rollout)
    return _stalled(Reason(failed.reason), failed.message) if failed else None


def pods_are_rejected(_: Observed, rollout: Rollout) -> Verdict | None:
    """A quota or an admission check of the cluster refuses the pods."""
    fault = rollouts.rejection(rollout)
    return _stalled(fault.reason, fault.message) if fault else None


def a_container_died(_: Observed, rollout: Rollout) -> Verdict | None:
    """A container of this version ended and is started again; after a few times somebody has to look."""
    died = [pod for pod in rollout.current if not pod.ready and pod.last_exit is not None]
    if not died:
        return None
    pod = max(died, key=lambda each: each.restarts)
    reason, message = describe_exit(pod)
    if pod.restarts >= CRASH_LOOP:
        return _stalled(reason, message)
    return Verdict(state=State.FALSE, reason=reason, message=message)


def a_pod_waits(observed: Observed, rollout: Rollout) -> Verdict | None:
    """A pod says what it waits for, such as a registry that is down."""
    for pod in rollout.current:
        report = find_report(observed, pod)
        if report is not None and report.reason is not pod_status.Reason.LOADING and not report.ready:
            return Verdict(state=State.UNKNOWN, reason=Reason(report.reason), message=report.message)
    return None


def a_pod_is_in_trouble(_: Observed, rollout: Rollout) -> Verdict | None:
    """Kubernetes cannot start a pod; that may pass, until the Deployment's deadline does."""
    pod = next((pod for pod in rollout.current if pod.trouble), None)
    if pod is None:
        return None
    message = f"the pod {pod.name} does not start: {pod.trouble}"
    if rollouts.is_overdue(rollout):
        return _stalled(Reason.PODS_NOT_READY, message)
    return Verdict(state=State.UNKNOWN, reason=Reason.PODS_NOT_READY, message=message)


def a_ready_pod_is_unreachable(observed: Observed, rollout: Rollout) -> Verdict | None:
    """Pods are ready, but none of them can be asked; the last good state stands."""
    for pod in rollout.current:
        report = observed.reports.get(pod.name)
        if pod.ready and report is not None and report.problem:
            message = f"the pod {pod.name} cannot be asked: {report.problem}"
            return Verdict(state=State.UNKNOWN, reason=Reason.POD_UNREACHABLE, message=message)
    return None


def loaded_was_known(observed: Observed, rollout: Rollout) -> Verdict | None:
    """Pods have not been asked since the operator started: what is stored stands."""
    unasked = [pod for pod in rollout.current if pod.ip and pod.name not in observed.reports]
    stored = _stored(observed, rollout, Type.LOADED) if unasked else None
    if stored is None or (stored.state is State.TRUE and not any(pod.ready for pod in unasked)):
        return None
    return stored


def the_rollout_is_overdue(_: Observed, rollout: Rollout) -> Verdict | None:
    """Nothing else is known, and the Deployment's deadline has passed."""
    if not rollouts.is_overdue(rollout):
        return None
    return _stalled(Reason.PODS_NOT_READY, "pods have not become ready in time; look at the pods' events")


def tools_were_listed(observed: Observed, rollout: Rollout) -> Verdict | None:
    """A real client listed the tools."""
    found = observed.registrations.get(rollout.hash)
    if found is None or found.problem:
        return None
    count = len(found.tools)
    listed = f"{count} tool{'s' if count != 1 else ''} listed by a pod of this version"
    message = f"{listed}{_describe_unserved(observed, rollout)}"
    return Verdict(state=State.TRUE, reason=Reason.REGISTERED, message=message)


def _describe_unserved(observed: Observed, rollout: Rollout) -> str:
    """Return which functions are no tools and why, as a pod of this version says, or an empty string."""
    reports = (find_report(observed, pod) for pod in rollout.current)
    unserved = next((report.unserved for report in reports if report is not None), ())
    if not unserved:
        return ""
    shown = "; ".join(f"{each.name}: {each.reason}" for each in unserved[:_UNSERVED_SHOWN])
    more = f"; and {len(unserved) - _UNSERVED_SHOWN} more" if len(unserved) > _UNSERVED_SHOWN else ""
    return f"; not served are {shown}{more}"


def the_handshake_failed(observed: Observed, rollout: Rollout) -> Verdict | None:
    """A real client got no answer it understood; it tries again."""
    found = observed.registrations.get(rollout.hash)
    if found is None or not found.problem:
        return None
    message = f"the pod {found.pod} did not list its tools: {found.problem}"
    return Verdict(state=State.UNKNOWN, reason=Reason.HANDSHAKE_FAILED, message=message)


def there_are_no_tools(observed: Observed, rollout: Rollout) -> Verdict | None:
    """A pod says that there is nothing to list."""
    failed = _failed_report(observed, rollout)
    if failed is None or Reason(failed.reason) not in _REGISTRATION_FAILURES:
        return None
    return _stalled(Reason(failed.reason), failed.message)


def registered_was_known(observed: Observed, rollout: Rollout) -> Verdict | None:
    """Pods have not been asked since the operator started: what is stored stands."""
    unasked = any(pod.ready or (pod.ip and pod.name not in observed.reports) for pod in rollout.current)
    return _stored(observed, rollout, Type.REGISTERED) if unasked else None


LOADED_RULES: tuple[Rule, ...] = (
    no_version_is_known,
    no_pod_is_wanted,
    the_deployment_is_paused,
    a_ready_pod_says_loaded,
    nothing_to_register,
    a_pod_says_failed,
    pods_are_rejected,
    a_container_died,
    a_pod_waits,
    a_pod_is_in_trouble,
    a_ready_pod_is_unreachable,
    the_rollout_is_overdue,
    loaded_was_known,
)
REGISTERED_RULES: tuple[Rule, ...] = (
    no_version_is_known,
    no_pod_is_wanted,
    tools_were_listed,
    the_handshake_failed,
    there_are_no_tools,
    registered_was_known,
)


def find_report(observed: Observed, pod: Pod) -> pod_status.ComponentStatus | None:
    """Return what a pod says about the contract that its label names; None when it has not said anything of it."""
    report = observed.reports.get(pod.name)
    if report is None or report.status is None:
        return None
    return next((each for each in report.status.components if each.contract == pod.contract), None)


def describe_exit(pod: Pod) -> tuple[Reason, str]:
    """Return why a pod's container ended last, as a reason and a sentence."""
    last = pod.last_exit
    if last is not None and last.reason == "OOMKilled":
        reached = (
            "was killed at its memory limit; raise spec.resources.limits.memory or lower the policy's limits.memory"
        )
        return Reason.OUT_OF_MEMORY, f"the pod {pod.name} {reached}"
    code = f" with code {last.exit_code}" if last else ""
    said = f": {last.message}" if last and last.message else ""
    return Reason.CRASHED, f"the runtime in the pod {pod.name} ended{code}{said}"


def _judge(rules: tuple[Rule, ...], observed: Observed, rollout: Rollout, otherwise: str) -> Verdict:
    """Return the first verdict, or that it is still being loaded."""
    found = next((verdict for rule in rules if (verdict := rule(observed, rollout)) is not None), None)
    return found or Verdict(state=State.UNKNOWN, reason=Reason.LOADING, message=otherwise)


def _has_loaded(observed: Observed, pod: Pod) -> bool:
    """Return whether a ready pod says that it has the component loaded."""
    report = find_report(observed, pod)
    return pod.ready and report is not None and (report.ready or report.phase in _LOADED_PHASES)


def _failed_report(observed: Observed, rollout: Rollout) -> pod_status.ComponentStatus | None:
    """Return what a pod of this version says that has given up."""
    reports = (find_report(observed, pod) for pod in rollout.current)
    return next((each for each in reports if each and each.phase is pod_status.Phase.FAILED), None)


def _describe_loaded(observed: Observed, contract: Contract) -> str:
    """Return which version is loaded, and what of it has no effect."""
    reports = (find_report(observed, pod) for pod in observed.pods if pod.contract == contract.hash())
    pulled = next((report.artifact for report in reports if report is not None and report.artifact is not None), None)
    digest = contract.source.digest or (pulled.digest if pulled else contract.source.subject)
    carried = pulled is not None and pulled.policy_digest is not None
    return f"{digest} is loaded{'; the policy that it carries is not applied' if carried else ''}"


def _stalled(reason: Reason, message: str) -> Verdict:
    """Return a failure that somebody has to act on."""
    return Verdict(state=State.FALSE, reason=reason, message=message, fault=errors.Stalled(reason, message))


def _stored(observed: Observed, rollout: Rollout, kind: Type) -> Verdict | None:
    """Return the stored condition as a verdict, as far as it is about this version and says anything definite."""
    status = observed.component.status
    stored, stalled = find_condition(status, kind), find_condition(status, Type.STALLED)
    if stored.get("observedGeneration") != observed.component.generation or stored["status"] == State.UNKNOWN:
        return None
    if rollout.contract is None or not resolution.is_stored(status.get("artifact") or {}, rollout.contract.source):
        return None
    if stored["reason"] not in set(Reason):
        return None  # written by another version of the operator
    reason, message = Reason(stored["reason"]), stored["message"]
    if stalled["status"] == State.TRUE and stalled["reason"] == stored["reason"]:
        return _stalled(reason, message)
    return Verdict(state=State(stored["status"]), reason=reason, message=message)
