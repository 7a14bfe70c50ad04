"""Waiting for readiness, and giving up."""

import pytest

from tests.cluster import apiserver, errors


def nodes(*statuses: str) -> dict[str, object]:
    return {"items": [{"status": {"conditions": [{"type": "Ready", "status": status}]}} for status in statuses]}


def test_a_node_is_ready_when_its_condition_says_so() -> None:
    assert apiserver.is_any_node_ready(nodes("True"))
    assert not apiserver.is_any_node_ready(nodes("Unknown", "False"))
    assert not apiserver.is_any_node_ready({"items": [{"status": {}}]})


def test_waiting_ends_at_its_deadline_with_the_reason() -> None:
    with pytest.raises(errors.ClusterError, match=r"the moon did not happen within 0 s \(the log\)") as caught:
        apiserver.wait_for("the moon", lambda: False, deadline=0.0, explain=lambda: "the log")
    assert caught.value.todo == "read that log"


def test_waiting_ends_at_once_when_it_is_in_vain() -> None:
    def explain() -> str:
        raise errors.ClusterError("etcd ended", where="etcd.log", todo="read that log")

    with pytest.raises(errors.ClusterError, match="etcd ended"):
        apiserver.wait_for("the moon", lambda: False, deadline=600.0, explain=explain)
