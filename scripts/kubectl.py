"""kubectl, as people use it: one class, JSON in and out. Called by `up` and by the e2e tests."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from scripts import commands

Manifest = dict[str, Any]


class Kubectl:
    """kubectl for one cluster."""

    def __init__(self, program: str | pathlib.Path, kubeconfig: str | pathlib.Path) -> None:
        self._command: tuple[str, ...] = (str(program), f"--kubeconfig={kubeconfig}")

    def command(self, *words: str) -> list[str]:
        """Return the argument list of one invocation."""
        return [*self._command, *words]

    def run(self, *words: str, given: str | None = None, timeout: float = 60, todo: str = "see its message") -> str:
        """Run it and return its output. Raises `commands.StepFailed`."""
        return commands.run(self.command(*words), todo=todo, timeout=timeout, given=given)

    def read(self, kind: str, name: str, namespace: str | None = None) -> Manifest | None:
        """Return one object, or None when there is none of that name."""
        where = ["--namespace", namespace] if namespace else []
        text = self.run("get", kind, name, *where, "--output=json", "--ignore-not-found")
        return json.loads(text) if text.strip() else None

    def list_all(self, kinds: str, namespace: str | None = None, selector: str = "") -> list[Manifest]:
        """Return the objects of one or several kinds (`pods` or `pods,services`), of one namespace or all."""
        where = ["--namespace", namespace] if namespace else ["--all-namespaces"]
        text = self.run("get", kinds, *where, f"--selector={selector}", "--output=json")
        items: list[Manifest] = json.loads(text)["items"]
        return items

    def apply(self, *manifests: Mapping[str, Any]) -> str:
        """Apply manifests as one list and return what kubectl says."""
        document = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        return self.run("apply", "--filename=-", given=json.dumps(document))

    def patch(self, kind: str, name: str, namespace: str, change: Mapping[str, Any]) -> None:
        """Merge a change into one object."""
        self.run("patch", kind, name, "--namespace", namespace, "--type=merge", f"--patch={json.dumps(change)}")

    def wait(self, condition: str, *what: str, namespace: str, timeout: float) -> None:
        """Run `kubectl wait --for=CONDITION`. Raises `commands.StepFailed` when it did not come true in time."""
        words: Sequence[str] = [f"--for={condition}", *what, "--namespace", namespace, f"--timeout={timeout:.0f}s"]
        self.run("wait", *words, timeout=timeout + 15)
