"""Reasons: one closed list, shared with pods, and nothing in it that never happens."""

import pathlib
import re

import pytest

from wasmoor_operator.reasons import Reason
from wasmoor_runtime.contract.status import Reason as PodReason

REPOSITORY = pathlib.Path(__file__).parents[2]
OPERATOR = REPOSITORY / "operator" / "wasmoor_operator"
RUNTIME = REPOSITORY / "runtime" / "wasmoor_runtime"


def test_every_reason_of_a_pod_is_one_of_the_operator() -> None:
    assert {reason.value for reason in PodReason} <= {reason.value for reason in Reason}


def test_the_same_reason_has_the_same_name_on_both_sides() -> None:
    for reason in PodReason:
        assert Reason(reason.value).name == reason.name


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_given_somewhere(reason: Reason) -> None:
    named = re.compile(rf"\b[Rr]easons?(\.Reason)?\.{reason.name}\b|\"{reason.value}\"")
    files = [*OPERATOR.rglob("*.py"), *RUNTIME.rglob("*.py")]
    lists = {OPERATOR / "reasons.py", RUNTIME / "contract" / "status.py"}
    assert any(named.search(file.read_text("utf-8")) for file in files if file not in lists)


def test_every_reason_has_a_comment_that_explains_it() -> None:
    text = (OPERATOR / "reasons.py").read_text("utf-8")
    for reason in Reason:
        assert re.search(rf'^    {reason.name} = "{reason.value}"  # .{{10,}}$', text, re.MULTILINE), reason
