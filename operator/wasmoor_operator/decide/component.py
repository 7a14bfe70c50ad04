"""The decision about one WasmComponent: from what was observed to what is to be done. Pure; called by the controller.

Gates say which version may run, the rollout which one does, rules over its pods how far it is; conditions, phase,
status, events and the next look follow from these.
"""

from __future__ import annotations

from dataclasses import dataclass

from wasmoor_operator import errors, settings
from wasmoor_operator.api.status import Phase
from wasmoor_operator.conditions import Condition, State, Type, merge_conditions
from wasmoor_operator.decide import drift, gates, loading, readiness, resolution, rollout, statuses, transitions
from wasmoor_operator.decide.model import Child, ChildRef, Manifest, Observed, Plan
from wasmoor_operator.decide.readiness import Findings
from wasmoor_operator.decide.rollout import Rollout
from wasmoor_operator.reasons import Reason
from wasmoor_operator.render import children as rendering
from wasmoor_operator.render import names


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changes:
    """What differs between wish and observation."""

    children: tuple[Child, ...] = ()
    prune: tuple[ChildRef, ...] = ()
    foreign: errors.Waiting | None = None


def decide_component(observed: Observed, render: settings.RenderSettings, pace: settings.PaceSettings) -> Plan:
    """Return what to apply, prune, write and tell, and when to look again."""
    if observed.component.deleting:
        return _plan_deletion(observed)
    admission = gates.admit(observed, render)
    view = rollout.view_rollout(observed, admission)
    changes = _find_changes(observed, view, render)
    loaded = loading.judge_loaded(observed, view)
    found = Findings(
        observed=observed,
        admission=admission,
        rollout=view,
        loaded=loaded,
        registered=loading.judge_registered(observed, view, loaded),
        waiting=changes.foreign,
        changes=len(changes.children),
    )
    conditions = (
        *found.stages,
        readiness.judge_ready(found),
        readiness.judge_reconciling(found),
        readiness.judge_stalled(found),
    )
    status = statuses.build_status(found, conditions)
    before = observed.component.status
    return Plan(
        children=changes.children,
        prune=changes.prune,
        status=None if status == before else status,
        events=transitions.find_events(conditions, before, status),
        requeue_after=_requeue_after(found, conditions, pace),
    )


def _plan_deletion(observed: Observed) -> Plan:
    """Return the plan for a component that is going: Kubernetes deletes the children, only the status is ours."""
    before = observed.component.status
    if not before:
        return Plan()
    ready = Condition(
        type=Type.READY,
        state=State.FALSE,
        reason=Reason.TERMINATED,
        message="the component is being deleted",
    )
    generation, stored = observed.component.generation, before.get("conditions") or ()
    kept = [{**item, "observedGeneration": generation} for item in stored if item["type"] != Type.READY]
    merged = merge_conditions((ready,), stored, generation, observed.now)
    status = {
        **before,
        "observedGeneration": generation,
        "phase": Phase.STOPPING.value,
        "conditions": sorted([*kept, *merged], key=lambda item: list(Type).index(Type(item["type"]))),
    }
    return Plan(
        status=None if status == before else status,
        events=transitions.find_events((ready,), before, status),
    )


def _find_changes(observed: Observed, view: Rollout, render: settings.RenderSettings) -> _Changes:
    """Return which children are to be applied and which deleted."""
    component = observed.component
    if component.spec is None or view.contract is None:
        return _Changes()
    owner = names.Owner(namespace=component.namespace, name=component.name, uid=component.uid, spec=component.spec)
    wanted: list[Child] = []
    for stage, manifests in enumerate(rendering.render_children(owner, view.contract, render)):
        for manifest in manifests:
            there = drift.find_child(observed.children, manifest)
            if there is not None and drift.is_owned_by_another(there, component.uid):
                return _Changes(foreign=_wait_for_owner(manifest))
            if there is None or not drift.is_as_wanted(manifest, there):
                wanted.append(Child(stage=stage, manifest=manifest, force=there is not None))
    prune = _find_leftovers(observed, view) if not wanted and view.complete else ()
    return _Changes(children=tuple(wanted), prune=prune)


def _wait_for_owner(manifest: Manifest) -> errors.Waiting:
    """Return the fault for a child that belongs to somebody else, usually an earlier component of this name."""
    what = f"the {manifest['kind']} {manifest['metadata']['name']}"
    message = f"{what} belongs to another object; it is waited for to go, delete it if it does not"
    return errors.Waiting(Reason.NAME_TAKEN, message, delay=2.0)


def _find_leftovers(observed: Observed, view: Rollout) -> tuple[ChildRef, ...]:
    """Return contracts that no pod can want again: the rollout is complete, and nobody who is left names them."""
    name = observed.component.name
    used = {names.contract_name(name, each) for each in (view.hash, *(pod.contract for pod in observed.pods))}
    return tuple(
        ChildRef(api_version="v1", kind="ConfigMap", name=child["metadata"]["name"])
        for child in observed.children
        if child["kind"] == "ConfigMap"
        and child["metadata"]["name"] not in used
        and not drift.is_owned_by_another(child, observed.component.uid)
    )


def _requeue_after(found: Findings, conditions: tuple[Condition, ...], pace: settings.PaceSettings) -> float:
    """Return when to look again if nothing makes us look earlier."""
    reconciling = any(c.type is Type.RECONCILING and c.is_true for c in conditions)
    unasked = any(c.state is State.UNKNOWN and c.reason is not Reason.SUSPENDED for c in conditions)
    stalled = found.fault is not None
    base = pace.stalled if stalled else pace.poll if reconciling or unasked else pace.resync
    due = resolution.seconds_until_due(found.observed, pace)
    return base if due is None else min(base, max(due, pace.poll))
