"""A real API server with both CRDs, and kubectl to speak to it as people do."""

import json
import pathlib
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.cluster import toolchain
from tests.cluster.control_plane import ControlPlane
from tests.cluster.paths import find_paths

CRDS = pathlib.Path(__file__).parents[3] / "crds"


class Kubectl:
    """kubectl against one API server."""

    def __init__(self, kubeconfig: pathlib.Path) -> None:
        self._command = [str(toolchain.find_tools(find_paths()).find("kubectl")), f"--kubeconfig={kubeconfig}"]

    def run(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._command, *arguments], input=given, capture_output=True, text=True, timeout=60, check=False
        )

    def apply(self, manifest: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        return self.run("apply", "--server-side", "--validate=strict", "-f", "-", given=yaml.safe_dump(manifest))

    def read(self, *arguments: str) -> Any:
        answer = self.run(*arguments, "-o", "json")
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    def wait_until_served(self, kinds: str, deadline: float = 30.0) -> None:
        end = time.monotonic() + deadline
        while (answer := self.run("get", kinds)).returncode != 0:
            assert time.monotonic() < end, answer.stderr
            time.sleep(0.1)


@pytest.fixture(scope="session")
def kubectl() -> Iterator[Kubectl]:
    with ControlPlane() as control_plane:
        client = Kubectl(control_plane.kubeconfig)
        created = client.run("apply", "--server-side", "-f", str(CRDS))
        assert created.returncode == 0, created.stderr
        client.wait_until_served("wasmcomponents,componentpolicies")
        yield client
