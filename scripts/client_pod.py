"""A pod that calls tools with the official MCP client, from where agents call them: inside the cluster.

It runs the runtime's image, which carries the client, and is as unprivileged as a pod can be. Services are addressed by
ClusterIP, so a cluster without DNS will do. Called by `up` and by the e2e tests.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
from collections.abc import Sequence
from typing import Any

from scripts.commands import StepFailed
from scripts.kubectl import Kubectl, Manifest

PROGRAM = pathlib.Path(__file__).with_name("in_pod.py")
PYTHON = "/opt/wasmoor/bin/python"
READY_TIMEOUT = 120.0


class ClientPod:
    """One running client pod; `start` it first, `stop` it when done."""

    def __init__(self, kubectl: Kubectl, *, image: str, namespace: str, name: str = "mcp-client") -> None:
        self._kubectl = kubectl
        self._image = image
        self._namespace = namespace
        self._name = name

    def start(self) -> None:
        """Have the pod running; one that runs another image is replaced. Raises `StepFailed`."""
        there = self._kubectl.read("pod", self._name, self._namespace)
        if there is not None and not _is_usable(there, self._image):
            self._kubectl.run("delete", "pod", self._name, "--namespace", self._namespace)
        self._kubectl.apply(render_pod(self._name, self._namespace, self._image))
        self._kubectl.wait("condition=Ready", f"pod/{self._name}", namespace=self._namespace, timeout=READY_TIMEOUT)

    def stop(self) -> None:
        """Remove the pod, without waiting for it to be gone."""
        where = ["--namespace", self._namespace, "--ignore-not-found", "--wait=false"]
        self._kubectl.run("delete", "pod", self._name, *where)

    def find_url(self, component: str, namespace: str) -> str:
        """Return the URL of a component's Service. Raises `StepFailed`: there is none."""
        service = self._kubectl.read("service", component, namespace)
        if service is None:
            todo = f"look at `kubectl describe wasmcomponent {component} -n {namespace}`"
            raise StepFailed(f"there is no Service {namespace}/{component}", todo=todo)
        address, port = service["spec"]["clusterIP"], service["spec"]["ports"][0]["port"]
        return f"http://[{address}]:{port}/mcp" if ":" in address else f"http://{address}:{port}/mcp"

    def call(self, calls: Sequence[dict[str, Any]], *, timeout: float = 90) -> list[dict[str, Any]]:
        """Make calls ({url, tool, arguments}) at the same time and return their answers in order.

        An answer has `isError`, `structured`, `text` and `tools`, or, where no answer came, `failure`.
        """
        words = self._words("once")
        answers: list[dict[str, Any]] = json.loads(
            self._kubectl.run(*words, given=json.dumps(list(calls)), timeout=timeout)
        )
        return answers

    def start_load(self, plan: dict[str, Any]) -> subprocess.Popen[str]:
        """Start callers ({url, tool, arguments, callers, pause}).

        They go on until `communicate()`, which returns the report as JSON.
        """
        words = self._words("load", f"WASMOOR_LOAD={json.dumps(plan)}")
        pipe = subprocess.PIPE
        return subprocess.Popen(self._kubectl.command(*words), stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def _words(self, mode: str, *environment: str) -> list[str]:
        inside = ["env", *environment, PYTHON, "-c", PROGRAM.read_text(encoding="utf-8"), mode]
        return ["exec", "--stdin", self._name, "--namespace", self._namespace, "--", *inside]


def render_pod(name: str, namespace: str, image: str) -> Manifest:
    """Render the pod: it sleeps until something is executed in it."""
    restricted = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/name": name}},
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 0,
            "restartPolicy": "Never",
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    "name": "client",
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "command": [PYTHON, "-c", "import time; time.sleep(86400)"],
                    "securityContext": restricted,
                }
            ],
        },
    }


def _is_usable(pod: Manifest, image: str) -> bool:
    running = pod.get("status", {}).get("phase") in {"Pending", "Running"}
    return running and not pod["metadata"].get("deletionTimestamp") and pod["spec"]["containers"][0]["image"] == image
