"""What `up` made, as the one file that tells others: `.wasmoor/installation.json`.

The e2e tests know nothing of the cluster but this file. Pure but for reading and writing it.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib

from scripts.commands import REPOSITORY, StepFailed

FILE = REPOSITORY / ".wasmoor" / "installation.json"
NAMESPACE = "wasmoor-system"
RELEASE = "wasmoor"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A cluster with Wasmoor in it."""

    kubeconfig: str
    """Path of a kubeconfig whose current context is the cluster."""
    kubectl: str
    """Path of kubectl."""
    helm: str
    """Path of helm."""
    operator_image: str
    runtime_image: str
    """References that the cluster's nodes can pull or have."""
    registry: str
    """`host:port` of the registry, as this machine reaches it."""
    mirrors: dict[str, str]
    """The chart's value `registryMirrors`: the registry's name in manifests, and where pods reach it."""
    plain_http: bool
    """Whether this machine speaks plain HTTP to the registry."""
    namespace: str = NAMESPACE
    release: str = RELEASE


def write_installation(installation: Installation, file: pathlib.Path = FILE) -> None:
    """Write it in one step."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".new")
    temporary.write_text(json.dumps(dataclasses.asdict(installation), indent=1) + "\n", encoding="utf-8")
    temporary.replace(file)


def read_installation(file: pathlib.Path = FILE) -> Installation:
    """Read it back.

    Raises:
        StepFailed: nothing is up, or another version wrote it.
    """
    try:
        return Installation(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise StepFailed(f"nothing is up (no usable {file.name})", todo="run `make up` first") from error
