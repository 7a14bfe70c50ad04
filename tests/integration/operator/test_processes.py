"""The operator's processes: killed, stopped, two at once, and in trouble with the cluster."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import time

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.integration.operator.artifacts import push_component, source
from tests.integration.operator.clusters import API, Api, Refused, Site, install_definitions, run_operator, wait_until
from tests.integration.operator.conftest import RunOperator

pytestmark = pytest.mark.integration


def test_an_operator_killed_among_its_writes_is_healed_by_the_next(site: Site, run_operator: RunOperator) -> None:
    with run_operator() as first:
        for number in range(30):
            site.apply(f"text-{number}")
        wait_until(lambda: first.metric("wasmoor_operator_writes_total") > 10, "some writes")
        first.kill()
    # The Lease of the dead one has to expire first.
    with run_operator() as second:
        for number in range(30):
            wait_until(lambda n=number: site.says(f"text-{n}", "Resolved", "True", "Resolved"), "the status")  # type: ignore[misc]
            assert len(site.children(f"text-{number}")) == 4
        assert second.process.poll() is None


def test_of_two_replicas_one_writes_and_the_other_takes_over_at_once(site: Site, run_operator: RunOperator) -> None:
    with run_operator() as first, run_operator(working=False) as second:
        wait_until(lambda: second.ask("/readyz")[0] == 200, "the second to stand by")
        for number in range(5):
            site.apply(f"text-{number}")
        for number in range(5):
            wait_until(lambda n=number: site.says(f"text-{n}", "Resolved", "True", "Resolved"), "the status")  # type: ignore[misc]
        assert second.metric("wasmoor_operator_writes_total") == 0
        assert second.metric("wasmoor_operator_leader") == 0

        began = time.monotonic()
        assert first.stop() == 0
        # The Lease was given back: nobody waits for the fifteen seconds it lasts.
        wait_until(second.is_working, "the second to lead", deadline=12)
        assert time.monotonic() - began < 12
        site.apply("later")
        wait_until(lambda: site.says("later", "Resolved", "True", "Resolved"), "the status")


def test_an_operator_that_loses_its_lease_ends(site: Site, run_operator: RunOperator) -> None:
    with run_operator() as operator:
        path = f"/apis/coordination.k8s.io/v1/namespaces/{site.name}/leases/wasmoor-operator"

        def take() -> bool:
            """Take the Lease by force; the operator may renew it in between, then try again."""
            site.api.merge(path, {"spec": {"holderIdentity": "somebody-else", "leaseDurationSeconds": 60}})
            return operator.process.poll() is not None

        wait_until(take, "the operator to end", deadline=40)

        assert operator.process.returncode == 1
        assert "could not be renewed" in operator.log().splitlines()[-1]


def test_sigterm_ends_the_process_within_seconds(site: Site, run_operator: RunOperator) -> None:
    with run_operator() as operator:
        site.apply("text")
        wait_until(lambda: site.deployment("text"), "the Deployment")
        began = time.monotonic()

        assert operator.stop() == 0

        assert time.monotonic() - began < 5
        lease = site.api.get(f"/apis/coordination.k8s.io/v1/namespaces/{site.name}/leases/wasmoor-operator")
        assert lease is not None
        assert not lease["spec"].get("holderIdentity")


def test_without_the_definitions_the_operator_waits_and_says_so(tmp_path: pathlib.Path) -> None:
    with ControlPlane() as empty:
        api = Api(empty.kubeconfig, tmp_path)
        with run_operator(empty.kubeconfig, tmp_path, "default", working=False) as operator:
            wait_until(lambda: "install the CRDs" in operator.ask("/readyz")[1], "the reason")
            assert operator.ask("/readyz")[0] == 503
            assert operator.ask("/healthz")[0] == 200

            install_definitions(api)

            wait_until(operator.is_working, "the operator to work")


def test_an_api_server_that_goes_away_is_waited_for(tmp_path: pathlib.Path) -> None:
    with ControlPlane() as control_plane:
        api = Api(control_plane.kubeconfig, tmp_path)
        install_definitions(api)
        site = Site(api, "default")
        with run_operator(control_plane.kubeconfig, tmp_path, "default", "--leader-election=false") as operator:
            site.apply("before")
            wait_until(lambda: site.says("before", "Resolved", "True", "Resolved"), "the status")
            server = control_plane._running["kube-apiserver"]
            server.kill()
            server.wait()
            wait_until(lambda: "Cannot connect" in operator.log(), "the operator to notice")
            assert operator.ask("/healthz")[0] == 200

            assert isinstance(server.args, list)
            control_plane._run("kube-apiserver", server.args)
            wait_until(lambda: is_up(api), "the API server")
            site.apply("after")
            wait_until(lambda: site.says("after", "Resolved", "True", "Resolved"), "the status")

            api.delete(f"{site.apps}/deployments/before")
            wait_until(lambda: site.deployment("before"), "the lost child")
            assert operator.process.poll() is None


def is_up(api: Api) -> bool:
    try:
        return api.get(f"{API}/wasmcomponents") is not None
    except (OSError, Refused):
        return False


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "--runtime-image is required"),
        (["--runtime-image=x", "--kubeconfig=/does/not/exist"], "no cluster to connect to"),
    ],
)
def test_what_a_person_does_wrong_is_told_in_one_line(options: list[str], told: str) -> None:
    command = [sys.executable, "-m", "wasmoor_operator", "run", *options, "--log-format=text"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WASMOOR_")}

    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)

    assert ended.returncode in {1, 2}
    assert told in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_a_mirror_is_asked_in_place_of_the_registry(
    site: Site, run_operator: RunOperator, registry: str, tmp_path: pathlib.Path
) -> None:
    push_component(tmp_path, f"{registry}/{site.name}/text:1")
    with run_operator(f"--mirrors=registry.invalid=http://{registry}"):
        site.apply("text", source=source(f"registry.invalid/{site.name}/text:1"))

        wait_until(lambda: site.says("text", "Resolved", "True", "Resolved"), "Resolved")
    contract = site.children("text")["ConfigMap"]["data"]["contract.json"]
    assert f"http://{registry}" in contract
