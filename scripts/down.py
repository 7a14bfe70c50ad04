"""Ends what `up` started: `python -m scripts.down`, which is `make down`. Needs nothing but the standard library.

A cluster of this checkout goes with everything in it. From somebody else's (CONTEXT) the examples and the release are
removed, and what remains is said.
"""

from __future__ import annotations

import subprocess
import sys

from scripts import installation
from scripts.commands import REPOSITORY, StepFailed, run, tell
from scripts.kubectl import Kubectl
from tests.cluster import paths

MANIFESTS = REPOSITORY / "examples"


def remove_from_foreign(made: installation.Installation) -> None:
    """Remove the examples and the release from a cluster that stays. Raises `StepFailed`."""
    kubectl = Kubectl(made.kubectl, made.kubeconfig)
    tell("removing the examples")
    kubectl.run("delete", f"--filename={MANIFESTS}", "--ignore-not-found", timeout=180)
    tell(f"removing the release {made.release} from namespace {made.namespace}")
    where = [f"--kubeconfig={made.kubeconfig}", f"--namespace={made.namespace}"]
    run([made.helm, "uninstall", made.release, *where, "--ignore-not-found", "--wait"], todo="try again", timeout=180)
    tell(f"left: the namespace {made.namespace}, and the kinds with whatever else uses them")


def main() -> int:
    """End everything; nothing to end is no error."""
    try:
        if paths.foreign_context() is not None and installation.FILE.is_file():
            remove_from_foreign(installation.read_installation())
    except StepFailed as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    done = subprocess.run([sys.executable, "-m", "tests.cluster", "down"], cwd=REPOSITORY, check=False)
    if done.returncode == 0:
        installation.FILE.unlink(missing_ok=True)
        tell("down; what was built stays in the cache")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
