"""What the operator's tests do to a real API server: as an administrator, and by running the operator itself.

The operator runs as a process of its own, under a service account that has the rights of `adapters.rights` and no
others, so every test also shows that they suffice.
"""

from __future__ import annotations

import base64
import http.client
import itertools
import json
import os
import pathlib
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import yaml

from wasmoor_operator.adapters import rights

Json = dict[str, Any]
Found = TypeVar("Found")

ROOT = pathlib.Path(__file__).parents[3]
ROLE = "wasmoor-operator"
DIGEST = "sha256:" + "a" * 64
PINNED = f"registry.test/tools/text@{DIGEST}"
API = "/apis/wasmoor.dev/v1alpha1"
DEADLINE = 30.0


class Refused(Exception):
    """The API server did not do what it was asked."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status}: {body[:500]}")
        self.status = status


class Api:
    """One API server, as the administrator of a kubeconfig."""

    def __init__(self, kubeconfig: pathlib.Path, folder: pathlib.Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.server = str(cluster["server"])
        self.authority = str(cluster["certificate-authority-data"])
        self._address = urllib.parse.urlsplit(self.server).netloc
        certificate = folder / "admin.pem"
        certificate.write_bytes(
            base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"])
        )
        self._context = ssl.create_default_context(cadata=base64.b64decode(self.authority).decode())
        self._context.load_cert_chain(certificate)

    def request(
        self, method: str, path: str, body: Json | list[Json] | None = None, kind: str = "application/json"
    ) -> Json:
        connection = http.client.HTTPSConnection(self._address, timeout=20, context=self._context)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": kind})
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        if response.status == http.client.TOO_MANY_REQUESTS:
            time.sleep(0.2)
            return self.request(method, path, body, kind)
        if response.status >= http.client.BAD_REQUEST:
            raise Refused(response.status, text)
        answer: Json = json.loads(text)
        return answer

    def get(self, path: str) -> Json | None:
        """Return an object; None when it is not there."""
        try:
            return self.request("GET", path)
        except Refused as refused:
            if refused.status == http.client.NOT_FOUND:
                return None
            raise

    def create(self, path: str, manifest: Json) -> Json:
        return self.request("POST", path, manifest)

    def merge(self, path: str, patch: Json) -> Json:
        return self.request("PATCH", path, patch, "application/merge-patch+json")

    def replace_spec(self, path: str, spec: Json) -> Json:
        """Replace a spec, whatever the operator writes meanwhile."""
        return self.request(
            "PATCH", path, [{"op": "replace", "path": "/spec", "value": spec}], "application/json-patch+json"
        )

    def delete(self, path: str) -> None:
        self.request("DELETE", path)


class Site:
    """One namespace with the components of one test."""

    def __init__(self, api: Api, name: str) -> None:
        self.api, self.name = api, name
        self.core = f"/api/v1/namespaces/{name}"
        self.apps = f"/apis/apps/v1/namespaces/{name}"
        self.ours = f"{API}/namespaces/{name}"
        self._net = secrets.token_bytes(2)
        self._addresses = itertools.count(1)

    def apply(self, component: str, **spec: Any) -> Json:
        """Create a component, or replace its spec."""
        wanted = {"source": {"oci": {"reference": PINNED}}, **spec}
        path = f"{self.ours}/wasmcomponents"
        known = self.api.get(f"{path}/{component}")
        if known is None:
            manifest = {
                "apiVersion": "wasmoor.dev/v1alpha1",
                "kind": "WasmComponent",
                "metadata": {"name": component},
                "spec": wanted,
            }
            return self.api.create(path, manifest)
        return self.api.replace_spec(f"{path}/{component}", wanted)

    def apply_policy(self, name: str, **spec: Any) -> Json:
        path = f"{self.ours}/componentpolicies"
        known = self.api.get(f"{path}/{name}")
        if known is not None:
            return self.api.replace_spec(f"{path}/{name}", spec)
        manifest = {
            "apiVersion": "wasmoor.dev/v1alpha1",
            "kind": "ComponentPolicy",
            "metadata": {"name": name},
            "spec": spec,
        }
        return self.api.create(path, manifest)

    def component(self, name: str) -> Json | None:
        return self.api.get(f"{self.ours}/wasmcomponents/{name}")

    def condition(self, name: str, kind: str) -> Json:
        """Return a condition of a component; empty when there is none."""
        found = (self.component(name) or {}).get("status", {}).get("conditions", [])
        return next((each for each in found if each["type"] == kind), {})

    def says(self, name: str, kind: str, status: str, reason: str) -> bool:
        found = self.condition(name, kind)
        return (found.get("status"), found.get("reason")) == (status, reason)

    def deployment(self, name: str) -> Json | None:
        return self.api.get(f"{self.apps}/deployments/{name}")

    def contract(self, name: str) -> str:
        """Return the contract hash that the component's Deployment names."""
        found = self.deployment(name)
        assert found is not None
        return str(found["spec"]["template"]["metadata"]["labels"]["wasmoor.dev/contract"])

    def children(self, name: str) -> dict[str, Json]:
        """Return what exists for a component, by kind."""
        found: dict[str, Json] = {}
        for kind, path in (
            ("ServiceAccount", f"{self.core}/serviceaccounts"),
            ("ConfigMap", f"{self.core}/configmaps"),
            ("Service", f"{self.core}/services"),
            ("Deployment", f"{self.apps}/deployments"),
        ):
            listed = self.api.request("GET", f"{path}?labelSelector=wasmoor.dev%2Fcomponent%3D{name}")
            for item in listed["items"]:
                found[kind] = item
        return found

    def versions(self) -> dict[str, str]:
        """Return the resourceVersion of everything in the namespace that the operator may write."""
        versions = {}
        for path in (
            f"{self.core}/serviceaccounts",
            f"{self.core}/configmaps",
            f"{self.core}/services",
            f"{self.apps}/deployments",
            f"{self.ours}/wasmcomponents",
            f"{self.ours}/componentpolicies",
            f"/apis/events.k8s.io/v1/namespaces/{self.name}/events",
        ):
            for item in self.api.request("GET", path)["items"]:
                versions[f"{path}/{item['metadata']['name']}"] = item["metadata"]["resourceVersion"]
        return versions

    def events(self, name: str) -> list[Json]:
        listed = self.api.request("GET", f"/apis/events.k8s.io/v1/namespaces/{self.name}/events")["items"]
        return [event for event in listed if event["regarding"]["name"] == name]

    def make_address(self) -> str:
        """Return a loopback address that no other test of this machine is likely to use."""
        return f"127.{self._net[0] % 250 + 1}.{self._net[1]}.{next(self._addresses)}"

    def run_pod(self, component: str, address: str, *, ready: bool = True, name: str = "") -> str:
        """Make a Pod of the component's Deployment, as kubelet and its controllers would; return its name."""
        deployment = self.deployment(component)
        assert deployment is not None
        template = deployment["spec"]["template"]
        name = name or f"{component}-{address.replace('.', '-')}"
        manifest = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, **template["metadata"]},
            "spec": template["spec"],
        }
        self.api.create(f"{self.core}/pods", manifest)
        self.set_pod(name, address, ready=ready)
        self.set_deployment(component, ready=int(ready))
        return name

    def set_pod(self, name: str, address: str, *, ready: bool) -> None:
        status = {
            "phase": "Running",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        }
        self.api.merge(f"{self.core}/pods/{name}/status", {"status": status})

    def set_deployment(self, component: str, *, ready: int, replicas: int = 1) -> None:
        """Write the status that the Deployment's controller would."""
        deployment = self.deployment(component)
        assert deployment is not None
        status = {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": replicas,
            "updatedReplicas": replicas,
            "readyReplicas": ready,
            "availableReplicas": ready,
            "unavailableReplicas": replicas - ready,
        }
        self.api.merge(f"{self.apps}/deployments/{component}/status", {"status": status})


class Operator:
    """The operator's process."""

    def __init__(self, process: subprocess.Popen[bytes], log: pathlib.Path, port: int) -> None:
        self.process, self._log, self._port = process, log, port

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def ask(self, path: str) -> tuple[int, str]:
        """Ask the process about itself; (0, "") when it does not answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except OSError:
            return 0, ""
        finally:
            connection.close()

    def metric(self, name: str) -> float:
        """Return the sum of a metric over its labels."""
        lines = self.ask("/metrics")[1].splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.split("{")[0].split(" ")[0] == name)

    def writes(self) -> float:
        """Return how often it wrote to the API server, the Lease apart."""
        return self.metric("wasmoor_operator_writes_total")

    def looks(self) -> float:
        """Return how often it looked at an object."""
        return self.metric("wasmoor_operator_reconciles_total")

    def is_working(self) -> bool:
        assert self.process.poll() is None, self.log()
        return self.metric("wasmoor_operator_leader") == 1 and self.ask("/readyz")[0] == http.client.OK

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)


def install_definitions(api: Api) -> None:
    """Create both kinds and wait until they are served."""
    for file in sorted((ROOT / "crds").glob("*.yaml")):
        definition = yaml.safe_load(file.read_text())
        api.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
    for plural in ("wasmcomponents", "componentpolicies"):
        wait_until(lambda path=f"{API}/{plural}": api.get(path), plural)  # type: ignore[misc]


def make_kubeconfig(api: Api, folder: pathlib.Path) -> pathlib.Path:
    """Return a kubeconfig with the operator's rights and no others."""
    rules = [
        {"apiGroups": [right.group], "resources": [right.resource], "verbs": list(right.verbs)}
        for right in rights.RIGHTS
    ]
    group = "rbac.authorization.k8s.io"
    path = f"/apis/{group}/v1"
    meta = {"name": ROLE}
    api.create(f"{path}/clusterroles", {"kind": "ClusterRole", "metadata": meta, "rules": rules})
    account = {"kind": "ServiceAccount", "name": ROLE, "namespace": "default"}
    role = {"kind": "ClusterRole", "name": ROLE, "apiGroup": group}
    api.create("/api/v1/namespaces/default/serviceaccounts", {"kind": "ServiceAccount", "metadata": meta})
    api.create(
        f"{path}/clusterrolebindings",
        {"kind": "ClusterRoleBinding", "metadata": meta, "roleRef": role, "subjects": [account]},
    )
    token = api.create(f"/api/v1/namespaces/default/serviceaccounts/{ROLE}/token", {"spec": {}})["status"]["token"]
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "operator",
        "clusters": [{"name": "test", "cluster": {"server": api.server, "certificate-authority-data": api.authority}}],
        "users": [{"name": "operator", "user": {"token": token}}],
        "contexts": [{"name": "operator", "context": {"cluster": "test", "user": "operator"}}],
    }
    file = folder / "operator.kubeconfig"
    file.write_text(yaml.safe_dump(config))
    return file


@contextmanager
def run_operator(
    kubeconfig: pathlib.Path, folder: pathlib.Path, namespace: str, *options: str, working: bool = True
) -> Iterator[Operator]:
    """Run an operator for one namespace, or for all where that is empty; wait until it works."""
    port = find_free_port()
    log = folder / f"operator-{port}.log"
    command = [
        sys.executable, "-m", "wasmoor_operator", "run", "--runtime-image=runtime.test/wasmoor:1",
        f"--kubeconfig={kubeconfig}", f"--namespaces={namespace}", f"--lease-namespace={namespace or 'default'}",
        "--health-host=127.0.0.1", f"--health-port={port}", "--log-format=text", *options,
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'operator'}:{ROOT / 'runtime'}"}
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment, cwd=folder)
    operator = Operator(process, log, port)
    try:
        if working:
            wait_until(operator.is_working, "the operator to work")
        yield operator
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)


def wait_until(question: Callable[[], Found], what: str, deadline: float = DEADLINE) -> Found:
    """Ask until the answer is true, and return it."""
    end = time.monotonic() + deadline
    while not (answer := question()):
        assert time.monotonic() < end, f"waited {deadline:.0f} s in vain for {what}"
        time.sleep(0.02)
    return answer


def find_free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port
