"""What the table of rights must never hold."""

from __future__ import annotations

from wasmoor_operator.adapters import rights


def test_there_is_no_right_on_secrets_or_on_everything() -> None:
    for right in rights.RIGHTS:
        assert "secret" not in right.resource
        assert "*" not in {right.group, right.resource, *right.verbs}


def test_pods_are_only_read() -> None:
    (pods,) = (right for right in rights.RIGHTS if right.resource == "pods")
    assert set(pods.verbs) == {"list", "watch"}


def test_no_resource_is_named_twice_and_every_right_says_why() -> None:
    named = [(right.group, right.resource) for right in rights.RIGHTS]
    assert len(named) == len(set(named))
    assert all(right.why for right in rights.RIGHTS)
