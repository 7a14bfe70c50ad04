"""Objects as the API server sends them become values, whatever they hold."""

from typing import Any

from wasmoor_operator.decide import parsing


def raw_pod(container: Any = None, **status: Any) -> dict[str, Any]:
    statuses = [{"name": "runtime", "restartCount": 0, **(container or {})}]
    return {
        "metadata": {"name": "time-x", "labels": {"wasmoor.dev/contract": "abc"}},
        "status": {"podIP": "10.0.0.7", "containerStatuses": statuses, **status},
    }


def test_a_pod_that_was_just_made_is_read() -> None:
    pod = parsing.parse_pod({"metadata": {"name": "time-x"}, "status": {}})
    assert (pod.ip, pod.contract, pod.ready, pod.trouble, pod.last_exit) == ("", "", False, "", None)


def test_a_ready_pod_is_read() -> None:
    pod = parsing.parse_pod(raw_pod(conditions=[{"type": "Ready", "status": "True"}]))
    assert (pod.ip, pod.contract, pod.ready, pod.trouble) == ("10.0.0.7", "abc", True, "")


def test_the_last_exit_is_read_while_it_is_down_and_after() -> None:
    ended = {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": "2026-03-01T12:00:00Z"}}
    for container in ({"state": ended}, {"state": {"running": {}}, "lastState": ended}):
        last = parsing.parse_pod(raw_pod(container)).last_exit
        assert last is not None
        assert (last.reason, last.exit_code) == ("OOMKilled", 137)


def test_a_normal_start_is_no_trouble() -> None:
    assert parsing.parse_pod(raw_pod({"state": {"waiting": {"reason": "ContainerCreating"}}})).trouble == ""


def test_an_image_that_cannot_be_pulled_is_trouble() -> None:
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "not found"}}
    assert parsing.parse_pod(raw_pod({"state": waiting})).trouble == "ErrImagePull: not found"


def test_a_pod_without_a_node_is_trouble() -> None:
    conditions = [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}]
    assert "0/1 nodes are available" in parsing.parse_pod(raw_pod(conditions=conditions)).trouble


def test_an_evicted_pod_is_trouble() -> None:
    pod = parsing.parse_pod(raw_pod(phase="Failed", reason="Evicted", message="low on disk"))
    assert pod.trouble == "Evicted: low on disk"


def test_a_sidecar_is_not_taken_for_the_runtime() -> None:
    raw = raw_pod()
    raw["status"]["containerStatuses"].insert(0, {"name": "sidecar", "restartCount": 9})
    assert parsing.parse_pod(raw).restarts == 0


def test_a_spec_that_cannot_be_read_names_the_fields_and_not_the_values() -> None:
    raw = {
        "metadata": {"namespace": "a", "name": "b", "uid": "c", "generation": 2},
        "spec": {"source": {"oci": {"reference": "x:1"}}, "suspend": "s3cret", "x": 1},
    }
    found = parsing.parse_component(raw)
    assert found.spec is None
    assert "spec.suspend" in found.problem
    assert "spec.x" in found.problem
    assert "s3cret" not in found.problem
