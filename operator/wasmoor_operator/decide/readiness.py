"""`Ready`, `Stalled` and `Reconciling`: what follows from everything else. Pure.

Ready says one thing: tools can be called through the endpoint, whichever version answers. So a new version that fails
leaves it True, and `Stalled` and the condition that failed tell of the failure.
"""

from __future__ import annotations

from dataclasses import dataclass

from wasmoor_operator import errors
from wasmoor_operator.conditions import Condition, State, Type
from wasmoor_operator.decide.gates import Admission
from wasmoor_operator.decide.loading import Verdict, describe_exit
from wasmoor_operator.decide.model import Observed
from wasmoor_operator.decide.rollout import Rollout
from wasmoor_operator.reasons import Reason

# While nothing serves, these leave it open whether something soon will; all else is known to be False.
_OPEN = frozenset({Reason.PENDING, Reason.REGISTRY_UNAVAILABLE, Reason.HANDSHAKE_FAILED, Reason.POD_UNREACHABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything these three conditions follow from."""

    observed: Observed
    admission: Admission
    rollout: Rollout
    loaded: Verdict
    registered: Verdict
    waiting: errors.OperatorFault | None
    """Why children cannot be applied at the moment."""
    changes: int
    """How many children are to be applied now."""

    @property
    def stages(self) -> tuple[Condition, ...]:
        """Return the conditions before Ready, in their order."""
        return (
            self.admission.resolved,
            self.admission.policy,
            self.loaded.as_condition(Type.LOADED),
            self.registered.as_condition(Type.REGISTERED),
        )

    @property
    def fault(self) -> errors.Stalled | None:
        """Return what somebody has to act on first."""
        candidates = (self.observed.apply_fault, self.admission.fault, self.loaded.fault, self.registered.fault)
        return next((fault for fault in candidates if isinstance(fault, errors.Stalled)), None)

    @property
    def hindrance(self) -> errors.OperatorFault | None:
        """Return why children are not as the spec says, although somebody may yet make way for them."""
        return self.waiting or self.observed.apply_fault


def judge_ready(found: Findings) -> Condition:
    """Return `Ready`."""
    rollout = found.rollout
    if not rollout.wanted and rollout.contract is not None:
        return _ready(State.FALSE, Reason.SUSPENDED, found.loaded.message)
    if rollout.serving and rollout.endpoint and _was_registered(found):
        return _serving(found)
    blocking = next((stage for stage in found.stages if not stage.is_true), None)
    obstacle = found.fault or found.hindrance
    if obstacle is not None:
        return _ready(State.FALSE, obstacle.reason, obstacle.message)
    if rollout.serving and not rollout.endpoint:
        return _ready(State.FALSE, Reason.PODS_NOT_READY, "pods are ready, but the Service in front of them is missing")
    if blocking is None:
        return _ready(State.FALSE, Reason.PODS_NOT_READY, _unready(found))
    state = State.UNKNOWN if blocking.reason in _OPEN else State.FALSE
    return _ready(state, blocking.reason, blocking.message)


def judge_stalled(found: Findings) -> Condition:
    """Return `Stalled`: True when waiting will not help."""
    if found.fault is None:
        return Condition(type=Type.STALLED, state=State.FALSE, reason=Reason.AS_EXPECTED, message="nobody has to act")
    return Condition(type=Type.STALLED, state=State.TRUE, reason=found.fault.reason, message=found.fault.message)


def judge_reconciling(found: Findings) -> Condition:
    """Return `Reconciling`: True while there is work in hand; never beside `Stalled`."""
    work = None if found.fault else _find_work(found)
    if work is None:
        message = "no work in hand"
        return Condition(type=Type.RECONCILING, state=State.FALSE, reason=Reason.AS_EXPECTED, message=message)
    return Condition(type=Type.RECONCILING, state=State.TRUE, reason=work.reason, message=work.message)


def _find_work(found: Findings) -> errors.OperatorFault | None:
    """Return what is being worked on or waited for, as a reason and a sentence."""
    if found.hindrance is not None:
        return found.hindrance
    if found.rollout.blocked and found.admission.fault is not None:
        return found.admission.fault
    if found.changes or not found.rollout.complete:
        blocking = next((stage for stage in found.stages if not stage.is_true), None)
        if blocking is not None and blocking.reason is not Reason.SUSPENDED:
            return errors.OperatorFault(blocking.reason, blocking.message)
        return errors.OperatorFault(Reason.LOADING, "pods are being brought to what the spec says")
    if found.registered.state is State.UNKNOWN and found.registered.reason is Reason.LOADING:
        return errors.OperatorFault(Reason.LOADING, found.registered.message)
    return None


def _serving(found: Findings) -> Condition:
    """Return `Ready` while tools can be called: Running, or Degraded with what is not as it should be."""
    rollout = found.rollout
    count = f"{len(rollout.serving)} of {rollout.wanted} pods answer at {rollout.endpoint}"
    obstacle = found.fault or found.hindrance
    if obstacle is not None:
        return _ready(State.TRUE, Reason.DEGRADED, f"{count}; {obstacle.message}")
    if len(rollout.serving) < rollout.wanted:
        return _ready(State.TRUE, Reason.DEGRADED, f"{count}: {_unready(found)}")
    return _ready(State.TRUE, Reason.RUNNING, f"pods answer at {rollout.endpoint}")


def _was_registered(found: Findings) -> bool:
    """Return whether a client has listed the tools of a version that serves now, in this process's life or before."""
    if found.registered.state is State.TRUE:
        return True
    serving = {pod.contract for pod in found.rollout.serving}
    registrations = found.observed.registrations
    if any(each in serving and not found_one.problem for each, found_one in registrations.items()):
        return True
    stored = found.observed.component.status.get("conditions") or ()
    return any(item["type"] == Type.READY and item["status"] == State.TRUE for item in stored)


def _unready(found: Findings) -> str:
    """Return why pods that are wanted do not serve, as far as any of them gives a reason."""
    for pod in found.rollout.pods:
        if not pod.ready and pod.trouble:
            return f"the pod {pod.name} does not start: {pod.trouble}"
        if not pod.ready and pod.last_exit is not None:
            return describe_exit(pod)[1]
    return "pods are not ready yet"


def _ready(state: State, reason: Reason, message: str) -> Condition:
    """Return `Ready`."""
    return Condition(type=Type.READY, state=state, reason=reason, message=message)
