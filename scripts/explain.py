"""Shows, after a failure, the few lines that usually say why. Writes to standard error; never fails itself."""

from __future__ import annotations

import sys

from scripts.commands import StepFailed
from scripts.kubectl import Kubectl

LINES = 15


def show_operator(kubectl: Kubectl, namespace: str) -> None:
    """Show the operator's pods and the end of their logs."""
    _show(kubectl, "get", "pods", "--namespace", namespace, "--output=wide")
    selector = "--selector=app.kubernetes.io/component=operator"
    _show(kubectl, "logs", "--namespace", namespace, selector, f"--tail={LINES}", "--prefix", "--ignore-errors")


def show_components(kubectl: Kubectl, namespace: str) -> None:
    """Show how far components and their pods are, and the newest warnings."""
    _show(kubectl, "get", "wasmcomponents,pods", "--namespace", namespace, "--output=wide")
    _show(
        kubectl, "get", "events", "--namespace", namespace, "--field-selector=type=Warning", "--sort-by=.lastTimestamp"
    )
    _show(kubectl, "logs", "--namespace", namespace, "--selector=wasmoor.dev/component", f"--tail={LINES}", "--prefix")


def _show(kubectl: Kubectl, *words: str) -> None:
    sys.stderr.write(f"--- kubectl {' '.join(words)}\n")
    try:
        text = kubectl.run(*words)
    except StepFailed as error:
        text = str(error)
    lines = text.rstrip().splitlines()
    sys.stderr.write("\n".join(lines[-2 * LINES :]) + "\n")
