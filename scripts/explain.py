"""Shows, after a failure, the few lines that usually say why. Writes to standard error; never fails itself."""

from __future__ import annotations

import sys

from scripts.commands import StepFailed
from scripts.kubectl import Kubectl

LINES = 15
WIDTH = 240


def show_operator(kubectl: Kubectl, namespace: str) -> None:
    """Show the operator's pods, the newest warnings about them, and the end of their logs."""
    _show(kubectl, "get", "pods", "--namespace", namespace, "--output=wide")
    _show_warnings(kubectl, namespace)
    selector = "--selector=app.kubernetes.io/component=operator"
    _show(kubectl, "logs", "--namespace", namespace, selector, f"--tail={LINES}", "--prefix", "--ignore-errors")


def show_components(kubectl: Kubectl, namespace: str) -> None:
    """Show how far components and their pods are, the newest warnings, and the end of the pods' logs."""
    _show(kubectl, "get", "wasmcomponents,pods", "--namespace", namespace, "--output=wide")
    _show_warnings(kubectl, namespace)
    selector = "--selector=wasmoor.dev/component"
    _show(kubectl, "logs", "--namespace", namespace, selector, f"--tail={LINES}", "--prefix", "--ignore-errors")


def _show_warnings(kubectl: Kubectl, namespace: str) -> None:
    only = ["--field-selector=type=Warning", "--sort-by=.metadata.creationTimestamp"]
    _show(kubectl, "get", "events", "--namespace", namespace, *only)


def _show(kubectl: Kubectl, *words: str) -> None:
    sys.stderr.write(f"--- kubectl {' '.join(words)}\n")
    try:
        text = kubectl.run(*words)
    except StepFailed as error:
        text = str(error)
    for line in text.rstrip().splitlines()[-2 * LINES :]:
        sys.stderr.write(f"{line if len(line) <= WIDTH else line[:WIDTH] + '...'}\n")
