from __future__ import annotations

from wasmoor_runtime.cli.exits import MEANINGS, Exit, decide_call_exit, decide_exit
from wasmoor_runtime.contract.status import Reason
from wasmoor_runtime.ports import Verdict

MENDED_IN_THE_COMPONENT = {
    "NotAComponent", "CompileFailed", "UnsupportedInterface", "NoTools", "ToolNameConflict", "Crashed",
}  # fmt: skip
NO_FAULT = {"Loading", "Loaded", "Registered", "Running", "Terminated"}


def test_every_code_has_a_meaning() -> None:
    assert set(MEANINGS) == set(Exit)


def test_only_what_is_mended_in_the_component_is_a_plain_refusal() -> None:
    refused = {reason.value for reason in Reason if decide_exit(reason.value) is Exit.REFUSED}
    assert refused - NO_FAULT == MENDED_IN_THE_COMPONENT


def test_how_a_call_ended_decides_the_code() -> None:
    codes = {
        Verdict.OK: Exit.OK,
        Verdict.COMPONENT_ERROR: Exit.REFUSED,
        Verdict.TRAPPED: Exit.REFUSED,
        Verdict.CRASHED: Exit.REFUSED,
        Verdict.INVALID_ARGUMENTS: Exit.USAGE,
        Verdict.UNAVAILABLE: Exit.UNREACHABLE,
    }
    assert {verdict: decide_call_exit(verdict.value) for verdict in Verdict} == {
        verdict: codes.get(verdict, Exit.LIMIT) for verdict in Verdict
    }


def test_an_error_of_another_server_is_the_tools() -> None:
    assert decide_call_exit("") is Exit.REFUSED
