"""Which policy applies."""

import pytest

from wasmoor_runtime import errors
from wasmoor_runtime.contract.spec import Limits
from wasmoor_runtime.policy import selection
from wasmoor_runtime.policy.selection import NamedPolicy

TIGHT = NamedPolicy(name="tight", limits=Limits(memory="1Mi"))
DEFAULT = NamedPolicy(name="default", default=True, limits=Limits(memory="2Mi"))


def test_the_named_policy_comes_first() -> None:
    found = selection.select_policy("tight", [DEFAULT, TIGHT])
    assert (found.applied.name, found.applied.source) == ("tight", "Component")
    assert found.limits == TIGHT.limits


def test_the_default_of_the_namespace_comes_next() -> None:
    found = selection.select_policy(None, [DEFAULT, TIGHT])
    assert (found.applied.name, found.applied.source) == ("default", "Namespace")


def test_without_any_the_built_in_one_applies() -> None:
    found = selection.select_policy(None, [TIGHT])
    assert (found.applied.name, found.applied.source, found.applied.hash) == (None, "Default", "")


@pytest.mark.parametrize(
    ("ref", "policies", "reason"),
    [
        ("missing", [DEFAULT], "PolicyNotFound"),
        (None, [DEFAULT, NamedPolicy(name="second", default=True)], "PolicyConflict"),
        ("broken", [NamedPolicy(name="broken", problem="spec.x: extra")], "PolicyInvalid"),
        (None, [NamedPolicy(name="broken", default=True, problem="spec.x: extra")], "PolicyInvalid"),
    ],
)
def test_a_doubt_is_never_settled_by_taking_another_policy(
    ref: str | None, policies: list[NamedPolicy], reason: str
) -> None:
    with pytest.raises(errors.Stalled) as caught:
        selection.select_policy(ref, policies)
    assert caught.value.reason == reason


def test_a_named_policy_is_taken_even_where_the_defaults_conflict() -> None:
    found = selection.select_policy("tight", [DEFAULT, NamedPolicy(name="second", default=True), TIGHT])
    assert found.applied.name == "tight"


def test_the_hash_changes_with_what_the_policy_says_and_only_then() -> None:
    one, same, other = (
        selection.select_policy(None, [NamedPolicy(name=name, default=True, limits=limits)]).applied.hash
        for name, limits in (("a", Limits(fuel=1)), ("b", Limits(fuel=1)), ("a", Limits(fuel=2)))
    )
    assert one == same != other
