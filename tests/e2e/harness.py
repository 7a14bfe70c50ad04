"""What the tests share: namespaces of their own, components in them, and calls from where agents call.

A test knows a kubeconfig, image references and a registry (`scripts.installation`), and uses `kubectl` as people do.
Waits are bounded generously; how long something takes never decides a test.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self, TypeVar

from scripts import client_pod, examples, push
from scripts.installation import Installation
from scripts.kubectl import Kubectl, Manifest

API_VERSION = "wasmoor.dev/v1alpha1"
COMPONENT_LABEL = "wasmoor.dev/component"
CHILDREN = "deployments,replicasets,pods,services,configmaps,serviceaccounts"
FIXTURES = examples.COMPONENTS / "fixtures"
PATIENCE = 120.0
PULSE = 0.4

Found = TypeVar("Found")


def wait_until(observe: Callable[[], Found | None], what: str, timeout: float = PATIENCE) -> Found:
    """Return the first thing that `observe` finds; fail, saying what was waited for, when it finds none in time."""
    deadline = time.monotonic() + timeout
    while True:
        found = observe()
        if found:
            return found
        assert time.monotonic() < deadline, f"in {timeout:.0f} s: {what}"
        time.sleep(PULSE)


def find_condition(component: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return a condition of a component, or an empty one."""
    conditions = component.get("status", {}).get("conditions") or []
    return next((one for one in conditions if one["type"] == kind), {})


def is_current(component: Mapping[str, Any]) -> bool:
    """Whether the status is about the spec as it is now."""
    return bool(component.get("status", {}).get("observedGeneration") == component["metadata"]["generation"])


class Tenant:
    """A namespace that takes restricted pods only, with the components of one test in it."""

    def __init__(self, kubectl: Kubectl, installation: Installation, client: client_pod.ClientPod, name: str) -> None:
        self.kubectl = kubectl
        self.installation = installation
        self.client = client
        self.namespace = name

    def create(self) -> None:
        """Create the namespace."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        self.kubectl.apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace, "labels": labels}}
        )

    def remove(self) -> None:
        """Have the namespace removed, without waiting for it."""
        self.kubectl.run("delete", "namespace", self.namespace, "--wait=false", "--ignore-not-found")

    def push(self, fixture: str, tag: str, repository: str = "") -> str:
        """Push a fixture as `REPOSITORY:TAG`, by default into this tenant's repository; return its digest."""
        host, plain = self.installation.registry, self.installation.plain_http
        file = FIXTURES / f"{fixture}.wasm"
        return push.push_artifact(host, repository or self.repository(), tag, file, plain_http=plain)

    def repository(self, name: str = "component") -> str:
        """Return the name of a repository of this tenant's own."""
        return f"e2e/{self.namespace}/{name}"

    def reference(self, tag: str, repository: str = "") -> str:
        """Return the reference that a manifest names."""
        return f"{examples.REGISTRY}/{repository or self.repository()}:{tag}"

    def apply(self, name: str, reference: str, oci: Mapping[str, Any] | None = None, **spec: Any) -> None:
        """Apply a component."""
        source = {"oci": {"reference": reference, **(oci or {})}}
        self.kubectl.apply(
            {
                "apiVersion": API_VERSION,
                "kind": "WasmComponent",
                "metadata": {"name": name, "namespace": self.namespace},
                "spec": {"source": source, **spec},
            }
        )

    def point_to(self, name: str, reference: str) -> None:
        """Change the reference of a component and nothing else."""
        change = {"spec": {"source": {"oci": {"reference": reference}}}}
        self.kubectl.patch("wasmcomponent", name, self.namespace, change)

    def read(self, name: str) -> Manifest:
        """Return a component."""
        component = self.kubectl.read("wasmcomponent", name, self.namespace)
        assert component is not None, f"{self.namespace}/{name} is gone"
        return component

    def wait_ready(self, *names: str, timeout: float = PATIENCE) -> None:
        """Wait as people do: `kubectl wait --for=condition=Ready`."""
        what = [f"wasmcomponent/{name}" for name in names]
        self.kubectl.wait("condition=Ready", *what, namespace=self.namespace, timeout=timeout)

    def wait_serving(self, name: str, digest: str) -> Manifest:
        """Wait until this version and no other is served, and return the component."""

        def observe() -> Manifest | None:
            component = self.read(name)
            served = component.get("status", {}).get("artifact", {}).get("digest") == digest
            settled = find_condition(component, "Reconciling").get("status") == "False"
            good = find_condition(component, "Ready").get("status") == "True"
            loaded = find_condition(component, "Loaded").get("status") == "True"
            return component if served and settled and good and loaded and is_current(component) else None

        return wait_until(observe, f"{self.namespace}/{name} serves {digest} and is settled")

    def wait_condition(self, name: str, kind: str, status: str, reason: str) -> dict[str, Any]:
        """Wait until a condition says this about the spec as it is, and return it."""
        last: dict[str, Any] = {}

        def observe() -> dict[str, Any] | None:
            component = self.read(name)
            last.clear()
            last.update(find_condition(component, kind))
            right = (last.get("status"), last.get("reason")) == (status, reason)
            return dict(last) if right and is_current(component) else None

        try:
            return wait_until(observe, f"{kind}={status}/{reason}")
        except AssertionError as error:
            raise AssertionError(
                f"{error}; it is {last.get('status')}/{last.get('reason')}: {last.get('message')}"
            ) from error

    def list_children(self, name: str) -> list[Manifest]:
        """Return everything that exists for a component, pods and ReplicaSets included."""
        return self.kubectl.list_all(CHILDREN, self.namespace, f"{COMPONENT_LABEL}={name}")

    def list_pods(self, name: str) -> list[Manifest]:
        """Return the pods of a component that are not on their way out."""
        pods = self.kubectl.list_all("pods", self.namespace, f"{COMPONENT_LABEL}={name}")
        return [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]

    def wait_gone(self, name: str, uids: set[str]) -> None:
        """Wait until these pods of a component have ended, and not just begun to."""

        def observe() -> bool:
            pods = self.kubectl.list_all("pods", self.namespace, f"{COMPONENT_LABEL}={name}")
            return not uids & {pod["metadata"]["uid"] for pod in pods}

        wait_until(observe, f"the earlier pods of {self.namespace}/{name} have ended")

    def list_uids(self, name: str) -> set[str]:
        """Return the identities of a component's pods."""
        return {pod["metadata"]["uid"] for pod in self.list_pods(name)}

    def call(self, name: str, tool: str, arguments: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Call one tool through the component's Service."""
        return self.call_all(name, [(tool, arguments or {})])[0]

    def call_all(self, name: str, calls: Sequence[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
        """Call tools at the same time through the component's Service; answers in order."""
        url = self.client.find_url(name, self.namespace)
        return self.client.call([{"url": url, "tool": tool, "arguments": dict(given)} for tool, given in calls])

    def assert_answers_ping(self, name: str) -> None:
        """Fail unless the component's `ping` answers."""
        answer = self.call(name, "ping")
        assert answer.get("structured") == {"result": "pong"}, answer

    def wait_answers_ping(self, name: str) -> None:
        """Wait until `ping` answers: after a Service has changed, Kubernetes takes a moment to route by it."""
        wait_until(
            lambda: self.call(name, "ping").get("structured") == {"result": "pong"},
            f"{self.namespace}/{name} answers through its Service",
        )

    def start_load(self, name: str, tool: str, *, callers: int = 6) -> Load:
        """Have callers call without a pause until `Load.stop`."""
        url = self.client.find_url(name, self.namespace)
        plan = {"url": url, "tool": tool, "arguments": {}, "callers": callers, "pause": 0.02}
        return Load(self.client.start_load(plan))


class Load:
    """Callers at work."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def stop(self) -> dict[str, Any]:
        """Stop the callers and return the report of `scripts/in_pod.py`."""
        try:
            output, errors = self._process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        assert self._process.returncode == 0, errors
        report: dict[str, Any] = json.loads(output)
        print(f"load: {report}")
        return report

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()
