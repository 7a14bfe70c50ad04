"""A component's world in literals, and a cluster in a dictionary that does to it what a real one would."""

import copy
import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.unit.operator import laws
from wasmoor_operator import errors, settings
from wasmoor_operator.api.group import CONTRACT_LABEL
from wasmoor_operator.decide import component, model, parsing, resolution
from wasmoor_runtime.contract import status as pods

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
REFERENCE = "registry.example/team/time:1.2.0"
DIGEST = "sha256:" + "a" * 64
OTHER_DIGEST = "sha256:" + "b" * 64
RENDER = settings.RenderSettings(runtime_image="registry.example/wasmoor/runtime:1")
PACE = settings.PaceSettings()


def read_component(status: Any = None, generation: int = 1, **spec: Any) -> model.Component:
    """Return a component as `observe` would read it."""
    return parsing.parse_component(
        {
            "metadata": {"namespace": "tools", "name": "time", "uid": "uid-1", "generation": generation},
            "spec": {"source": {"oci": {"reference": REFERENCE}}, **spec},
            "status": status or {},
        }
    )


def read_policy(name: str = "restricted", **spec: Any) -> model.Policy:
    """Return a policy as `observe` would read it."""
    return parsing.parse_policy(
        {"metadata": {"namespace": "tools", "name": name, "uid": f"uid-{name}", "generation": 1}, "spec": spec}
    )


def decide(observed: model.Observed) -> model.Plan:
    """Return the decision with the settings of these tests."""
    return component.decide_component(observed, RENDER, PACE)


def answer(
    digest: str = DIGEST,
    fault: errors.OperatorFault | None = None,
    *,
    reference: str = REFERENCE,
    generation: int = 1,
) -> model.Resolution:
    """Return what a registry said."""
    return model.Resolution(
        reference=reference,
        generation=generation,
        attempted_at=NOW,
        digest="" if fault else digest,
        fault=fault,
    )


class World:
    """One component and everything around it; `step` decides once and carries the plan out."""

    def __init__(self, **spec: Any) -> None:
        self.observed = model.Observed(component=read_component(**spec), now=NOW, resolution=answer())
        self.children: dict[tuple[str, str], dict[str, Any]] = {}
        self.plan = model.Plan()
        self.writes = 0

    @property
    def status(self) -> Any:
        """The status as stored."""
        return self.observed.component.status

    @property
    def hash(self) -> str:
        """Hash of the contract that the Deployment names."""
        labels = self.children["Deployment", "time"]["spec"]["template"]["metadata"]["labels"]
        return str(labels[CONTRACT_LABEL])

    def condition(self, kind: str) -> tuple[str, str]:
        """Return a stored condition as (status, reason)."""
        found = next(item for item in self.status["conditions"] if item["type"] == kind)
        return found["status"], found["reason"]

    def message(self, kind: str) -> str:
        """Return a stored condition's message."""
        return str(next(item for item in self.status["conditions"] if item["type"] == kind)["message"])

    def change(self, **changes: Any) -> None:
        """Observe something else from now on."""
        self.observed = dataclasses.replace(self.observed, **changes)

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.change(now=self.observed.now + timedelta(seconds=seconds))

    def edit(self, **spec: Any) -> None:
        """Have somebody change the spec."""
        generation = self.observed.component.generation + 1
        self.change(component=read_component(self.status, generation, **spec))

    def resolve(self, digest: str = DIGEST, fault: errors.OperatorFault | None = None) -> None:
        """Have the registry answer about what the spec says now."""
        found = self.observed.component
        source = resolution.find_source(found)
        reference = resolution.name_source(source) if source else REFERENCE
        self.change(resolution=answer(digest, fault, reference=reference, generation=found.generation))

    def step(self) -> model.Plan:
        """Decide once, check the laws, carry the plan out."""
        self.plan = decide(self.observed)
        laws.check_plan(self.observed, self.plan)
        for child in self.plan.children:
            self._apply(copy.deepcopy(dict(child.manifest)))
        for ref in self.plan.prune:
            del self.children[ref.kind, ref.name]
        if self.plan.status is not None:
            self.writes += 1
            self.change(component=dataclasses.replace(self.observed.component, status=self.plan.status))
        self.change(children=tuple(self.children.values()))
        return self.plan

    def settle(self) -> None:
        """Decide until nothing is left to do; a world that never comes to rest is a defect."""
        for _ in range(6):
            plan = self.step()
            if not plan.children and not plan.prune and plan.status is None:
                return
        raise AssertionError("the world does not come to rest")

    def run_pods(self, count: int = 1, *, ready: bool = True, **report: Any) -> None:
        """Have the current version's pods, and only these, exist and say what `report` says."""
        running = {"phase": "Running", "reason": "Running", "message": "serving", "ready": ready, **report}
        self.change(pods=(), reports={}, registrations={})
        for number in range(count):
            self.add_pod(f"new-{number}", self.hash, ready=ready, report=running)
        if ready:
            self.register(self.hash)
        self.count_pods(total=count, updated=count, ready=count if ready else 0)

    def add_pod(self, name: str, contract: str, *, ready: bool = True, report: Any = None, **fields: Any) -> None:
        """Have one more pod exist."""
        pod = model.Pod(name=name, ip="10.0.0.1", contract=contract, ready=ready, **fields)
        reports = dict(self.observed.reports)
        if report is not None:
            reports[name] = model.Report(status=say(contract, **report))
        self.change(pods=(*self.observed.pods, pod), reports=reports)

    def register(self, contract: str, *tools: str, problem: str = "") -> None:
        """Have a client list tools, or fail to."""
        listed = tuple(model.Tool(name=name, description=f"{name} does it") for name in tools or ("get-time",))
        found = model.Registration(pod="new-0", tools=() if problem else listed, tools_hash="sha256:1", problem=problem)
        self.change(registrations={**self.observed.registrations, contract: found})

    def count_pods(self, *, total: int, updated: int, ready: int, conditions: Any = ()) -> None:
        """Have the Deployment count its pods."""
        deployment = self.children["Deployment", "time"]
        deployment["metadata"]["generation"] = 1
        deployment["status"] = {
            "observedGeneration": 1,
            "replicas": total,
            "updatedReplicas": updated,
            "readyReplicas": ready,
            "conditions": list(conditions),
        }
        self.change(children=tuple(self.children.values()))

    def _apply(self, manifest: dict[str, Any]) -> None:
        key = manifest["kind"], manifest["metadata"]["name"]
        before = self.children.get(key, {})
        if manifest["kind"] == "Deployment":
            manifest["spec"].setdefault("replicas", 1)
            manifest["status"] = before.get("status", {})
        self.children[key] = manifest


def say(contract: str, **report: Any) -> pods.PodStatus:
    """Return what a pod says on /status."""
    said = pods.ComponentStatus.model_validate(
        {"namespace": "tools", "name": "time", "contract": contract, "message": "", "ready": False, **report}
    )
    return pods.PodStatus(runtime="0.1.0", components=(said,))


def running(**spec: Any) -> World:
    """Return a world in which the component runs and nothing is left to do."""
    world = World(**spec)
    world.settle()
    count = world.observed.component.spec.replicas if world.observed.component.spec else 1
    world.run_pods(1 if count is None else count)
    world.settle()
    return world
