"""What pods say reaches the status: asked over HTTP and by a real MCP client."""

from __future__ import annotations

import socket
import threading

import pytest

from tests.fakes.operator_pods import FakePod, serve_pod
from tests.integration.operator.clusters import DIGEST, Operator, Site, wait_until
from tests.integration.operator.conftest import RunOperator
from wasmoor_runtime.contract import status

pytestmark = pytest.mark.integration


def start(site: Site, name: str, **changes: object) -> tuple[FakePod, str]:
    """Apply a component, wait for its Deployment, and return the pod that will serve it."""
    site.apply(name)
    wait_until(lambda: site.deployment(name), "the Deployment")
    pod = FakePod(namespace=site.name, component=name, contract=site.contract(name))
    for field, value in changes.items():
        setattr(pod, field, value)
    return pod, site.make_address()


def test_a_ready_pod_makes_the_component_ready_with_the_tools_a_client_sees(site: Site, operator: Operator) -> None:
    pod, address = start(site, "text", tools=("upper", "lower"))
    with serve_pod(pod, address):
        site.run_pod("text", address)
        wait_until(lambda: site.says("text", "Ready", "True", "Running"), "Ready")

    found = site.component("text")
    assert found is not None
    told = found["status"]
    assert [tool["name"] for tool in told["tools"]] == ["upper", "lower"]
    assert told["tools"][0]["description"] == "Does upper."
    assert (told["toolCount"], told["phase"], told["pods"]) == (2, "Running", "1/1")
    assert told["artifact"]["digest"] == DIGEST
    assert told["endpoint"] == f"http://text.{site.name}.svc:8080/mcp"
    assert told["observedGeneration"] == found["metadata"]["generation"]
    assert site.says("text", "Registered", "True", "Registered")
    assert site.says("text", "Loaded", "True", "Loaded")
    assert {event["reason"] for event in wait_until(lambda: site.events("text"), "events")} >= {"Resolved"}
    assert operator.process.poll() is None


def test_a_settled_pod_is_asked_once(site: Site, operator: Operator) -> None:
    pod, address = start(site, "text")
    with serve_pod(pod, address):
        site.run_pod("text", address)
        wait_until(lambda: site.says("text", "Ready", "True", "Running"), "Ready")
        asked = list(pod.asked)
        reconciles = operator.metric("wasmoor_operator_reconciles_total")
        for number in range(3):
            site.api.merge(f"{site.apps}/deployments/text", {"metadata": {"labels": {"seen": str(number)}}})
        wait_until(lambda: operator.metric("wasmoor_operator_reconciles_total") >= reconciles + 3, "more looks")

        assert pod.asked == asked
        assert asked.count("tools/list") == 1


def test_a_pod_that_gave_up_stalls_the_component_with_its_own_reason(site: Site, operator: Operator) -> None:
    pod, address = start(
        site, "text", phase=status.Phase.FAILED, reason=status.Reason.COMPILE_FAILED, message="it is damaged"
    )
    with serve_pod(pod, address):
        site.run_pod("text", address, ready=False)
        wait_until(lambda: site.says("text", "Stalled", "True", "CompileFailed"), "Stalled")

    assert site.condition("text", "Loaded")["message"] == "it is damaged"
    assert site.says("text", "Loaded", "False", "CompileFailed")
    assert operator.process.poll() is None


def test_a_pod_is_asked_again_until_it_is_ready(site: Site, operator: Operator) -> None:
    pod, address = start(site, "text", phase=status.Phase.LOADING, reason=status.Reason.LOADING)
    with serve_pod(pod, address):
        name = site.run_pod("text", address, ready=False)
        wait_until(lambda: pod.asked.count("status") >= 2, "a second question")
        pod.phase, pod.reason = status.Phase.RUNNING, status.Reason.RUNNING
        site.set_pod(name, address, ready=True)
        site.set_deployment("text", ready=1)

        wait_until(lambda: site.says("text", "Ready", "True", "Running"), "Ready")
    assert operator.process.poll() is None


def test_a_ready_pod_that_answers_nonsense_is_unreachable_and_not_unready(site: Site, operator: Operator) -> None:
    pod, address = start(site, "text", garbage=b'{"components": "none"}')
    with serve_pod(pod, address):
        site.run_pod("text", address)
        wait_until(lambda: site.says("text", "Loaded", "Unknown", "PodUnreachable"), "Unknown")

    assert "does not understand" in site.condition("text", "Loaded")["message"]
    assert operator.process.poll() is None


def test_an_endless_status_is_cut(site: Site, operator: Operator) -> None:
    pod, address = start(site, "text", garbage=b" " * (5 * 1024 * 1024))
    with serve_pod(pod, address):
        site.run_pod("text", address)
        wait_until(lambda: site.says("text", "Loaded", "Unknown", "PodUnreachable"), "Unknown")

    assert "larger than" in site.condition("text", "Loaded")["message"]
    assert operator.process.poll() is None


def test_pods_that_never_answer_do_not_hold_up_other_components(site: Site, operator: Operator) -> None:
    with black_hole(site.make_address()) as hole:
        for number in range(20):
            site.apply(f"silent-{number}")
        for number in range(20):
            wait_until(lambda n=number: site.deployment(f"silent-{n}"), "a Deployment")  # type: ignore[misc]
            site.run_pod(f"silent-{number}", hole, name=f"silent-{number}")
        pod, address = start(site, "text")
        with serve_pod(pod, address):
            site.run_pod("text", address)
            # Two seconds is one deadline of one silent pod; in a row they would take forty.
            wait_until(lambda: site.says("text", "Ready", "True", "Running"), "Ready", deadline=10)
        wait_until(lambda: site.says("silent-3", "Loaded", "Unknown", "PodUnreachable"), "Unknown")
    assert operator.process.poll() is None


def test_a_restart_writes_nothing_and_keeps_what_was_known(site: Site, run_operator: RunOperator) -> None:
    pod, address = start_with(site, run_operator, "text")
    with serve_pod(pod, address):
        with run_operator() as first:
            site.run_pod("text", address)
            wait_until(lambda: site.says("text", "Ready", "True", "Running"), "Ready")
            wait_until(lambda: len(site.events("text")) > 1, "events")
            first.stop()
        before = site.versions()
        asked = len(pod.asked)
        with run_operator() as second:
            wait_until(lambda: len(pod.asked) > asked and pod.asked[-1] == "tools/list", "the pod to be asked")
            reconciles = second.metric("wasmoor_operator_reconciles_total")
            site.api.merge(f"{site.apps}/deployments/text", {"metadata": {"labels": {"seen": "1"}}})
            wait_until(lambda: second.metric("wasmoor_operator_reconciles_total") > reconciles, "one more look")
            after = site.versions()
            assert second.metric("wasmoor_operator_writes_total") == 0
    changed = {path for path in before | after if before.get(path) != after.get(path)}
    assert changed == {f"{site.apps}/deployments/text"}


def start_with(site: Site, run_operator: RunOperator, name: str) -> tuple[FakePod, str]:
    with run_operator() as operator:
        made = start(site, name)
        wait_until(lambda: site.says(name, "Resolved", "True", "Resolved"), "the status")
        operator.stop()
    return made


class black_hole:  # noqa: N801 - reads as the context it is
    """Listens where pods listen, takes connections, and never answers."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> str:
        for port in (9090, 8080):
            listening = socket.create_server((self._address, port), backlog=128)
            self._sockets.append(listening)
            threading.Thread(target=self._take, args=(listening,), daemon=True).start()
        return self._address

    def __exit__(self, *_: object) -> None:
        for each in self._sockets:
            each.close()

    def _take(self, listening: socket.socket) -> None:
        while True:
            try:
                taken, _ = listening.accept()
            except OSError:
                return
            self._sockets.append(taken)
