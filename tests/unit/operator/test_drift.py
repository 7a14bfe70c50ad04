"""What counts as drift and what does not."""

from typing import Any

import pytest

from wasmoor_operator.decide import drift

CASES: list[tuple[Any, Any, bool]] = [
    ({"a": 1}, {"a": 1, "b": 2}, True),
    ({"a": 1}, {"a": 2}, False),
    ({"a": 1}, {}, False),
    ({"a": {"b": 1}}, {"a": None}, False),
    ({"a": {}}, {}, True),
    ({"hostNetwork": False}, {}, True),
    ({"replicas": 0}, {"replicas": 1}, False),
    ({"args": ["a", "b"]}, {"args": ["a", "b"]}, True),
    ({"args": ["a", "b"]}, {"args": ["b", "a"]}, False),
    ({"c": [{"name": "x"}]}, {"c": [{"name": "y"}, {"name": "x", "image": "i"}]}, True),
    ({"c": [{"name": "x"}]}, {"c": [{"name": "y"}]}, False),
    ({"memory": "1024Mi"}, {"memory": "1Gi"}, True),
    ({"memory": "1024Mi"}, {"memory": "2Gi"}, False),
    ({"cpu": "1"}, {"cpu": "1000m"}, True),
    ({"name": "runtime"}, {"name": "other"}, False),
    ({"selector": {"app": "x"}}, {"selector": {"app": "x"}}, True),
    ({"selector": {"app": "x"}}, {"selector": {"app": "x", "release": "y"}}, False),
]


@pytest.mark.parametrize(("wanted", "observed", "contained"), CASES)
def test_the_wish_has_to_be_contained_in_what_is_there(wanted: Any, observed: Any, contained: bool) -> None:  # noqa: FBT001
    assert drift.contains(observed, wanted) is contained


def test_another_stamp_is_drift_even_when_the_wish_is_contained() -> None:
    observed = {"metadata": {"annotations": {"wasmoor.dev/desired": "old"}}, "spec": {"a": 1, "gone": 2}}
    wanted = {"metadata": {"annotations": {"wasmoor.dev/desired": "new"}}, "spec": {"a": 1}}
    assert not drift.is_as_wanted(wanted, observed)
