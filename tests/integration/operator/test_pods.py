"""What pods say reaches the status: asked over HTTP and by a real MCP client."""

from __future__ import annotations

import socket
import threading

import pytest

from tests.fakes.operator_pods import serve_pod
from tests.integration.operator.clusters import DIGEST, Site, wait_until
from tests.integration.operator.pods import apply_with_pod
from wasmoor_runtime.contract import status

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("operator")]


def test_a_ready_pod_makes_the_component_ready_with_the_tools_a_client_sees(site: Site) -> None:
    pod, address = apply_with_pod(site, "text", tools=("upper", "lower"))
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


def test_a_pod_that_gave_up_stalls_the_component_with_its_own_reason(site: Site) -> None:
    pod, address = apply_with_pod(
        site, "text", phase=status.Phase.FAILED, reason=status.Reason.COMPILE_FAILED, message="it is damaged"
    )
    with serve_pod(pod, address):
        site.run_pod("text", address, ready=False)
        wait_until(lambda: site.says("text", "Stalled", "True", "CompileFailed"), "Stalled")

    assert site.condition("text", "Loaded")["message"] == "it is damaged"
    assert site.says("text", "Loaded", "False", "CompileFailed")


def test_a_pod_is_asked_again_until_it_is_ready(site: Site) -> None:
    pod, address = apply_with_pod(site, "text", phase=status.Phase.LOADING, reason=status.Reason.LOADING)
    with serve_pod(pod, address):
        name = site.run_pod("text", address, ready=False)
        wait_until(lambda: pod.asked.count("status") >= 2, "a second question")
        pod.phase, pod.reason = status.Phase.RUNNING, status.Reason.RUNNING
        site.set_pod(name, address, ready=True)
        site.set_deployment("text", ready=1)

        wait_until(lambda: site.says("text", "Ready", "True", "Running"), "Ready")


def test_a_ready_pod_that_answers_nonsense_is_unreachable_and_not_unready(site: Site) -> None:
    pod, address = apply_with_pod(site, "text", garbage=b'{"components": "none"}')
    with serve_pod(pod, address):
        site.run_pod("text", address)
        wait_until(lambda: site.says("text", "Loaded", "Unknown", "PodUnreachable"), "Unknown")

    assert "does not understand" in site.condition("text", "Loaded")["message"]


def test_an_endless_status_is_cut(site: Site) -> None:
    pod, address = apply_with_pod(site, "text", garbage=b" " * (5 * 1024 * 1024))
    with serve_pod(pod, address):
        site.run_pod("text", address)
        wait_until(lambda: site.says("text", "Loaded", "Unknown", "PodUnreachable"), "Unknown")

    assert "larger than" in site.condition("text", "Loaded")["message"]


def test_pods_that_never_answer_do_not_hold_up_other_components(site: Site) -> None:
    with black_hole(site.make_address()) as hole:
        for number in range(20):
            site.apply(f"silent-{number}")
        for number in range(20):
            wait_until(lambda n=number: site.deployment(f"silent-{n}"), "a Deployment")  # type: ignore[misc]
            site.run_pod(f"silent-{number}", hole, name=f"silent-{number}")
        pod, address = apply_with_pod(site, "text")
        with serve_pod(pod, address):
            site.run_pod("text", address)
            # Two seconds is one deadline of one silent pod; in a row they would take forty.
            wait_until(lambda: site.says("text", "Ready", "True", "Running"), "Ready", deadline=10)
        wait_until(lambda: site.says("silent-3", "Loaded", "Unknown", "PodUnreachable"), "Unknown")


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
