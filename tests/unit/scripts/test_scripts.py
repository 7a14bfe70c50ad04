"""What `make up` decides by itself: which line explains a failure, how images are named, which answer is right."""

from __future__ import annotations

import sys

import pytest

from scripts import commands, examples, up

CALL = examples.Call(component="math", tool="gcd", arguments={"a": 12, "b": 18}, failed=False, answer=6)


def test_the_first_error_of_a_program_explains_its_failure() -> None:
    text = "warning: old\nError: the chart is wrong\n  somewhere\nuse --debug\n"
    assert commands.find_cause(text) == "Error: the chart is wrong"


def test_a_program_without_an_error_line_is_explained_by_its_last_words() -> None:
    assert commands.find_cause("first\nlast\n\n") == "last"
    assert commands.find_cause("\n") == "no message"


def test_a_program_that_fails_is_one_line_with_what_to_do() -> None:
    program = [sys.executable, "-c", "import sys; sys.exit('error: broken')"]
    with pytest.raises(commands.StepFailed, match=r"^python\S* failed: error: broken; mend it$"):
        commands.run(program, todo="mend it")


def test_a_program_that_hangs_is_ended() -> None:
    with pytest.raises(commands.StepFailed, match="took longer than"):
        commands.run([sys.executable, "-c", "import time; time.sleep(60)"], todo="wait", timeout=0.5)


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(commands.StepFailed, match="no-such-program cannot be run"):
        commands.run(["/no-such-program"], todo="install it")


@pytest.mark.parametrize(
    ("reference", "repository", "tag", "digest"),
    [
        ("wasmoor/operator:1", "wasmoor/operator", "1", ""),
        ("localhost:5000/a/b:2", "localhost:5000/a/b", "2", ""),
        ("ghcr.io/a/b@sha256:c", "ghcr.io/a/b", "", "sha256:c"),
    ],
)
def test_an_image_is_split_into_the_chart_s_values(reference: str, repository: str, tag: str, digest: str) -> None:
    assert up.split_image(reference) == {"repository": repository, "tag": tag, "digest": digest}


def test_a_right_answer_is_shown() -> None:
    answer = {"isError": False, "structured": {"result": 6}, "text": '{"result": 6}'}
    assert up.read_result(CALL, answer) == "6"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"failure": "ConnectError: refused"}, "refused"),
        ({"isError": False, "structured": {"result": 7}, "text": '{"result": 7}'}, "instead of 6"),
        ({"isError": True, "structured": None, "text": '{"error": 6}'}, "instead of 6"),
    ],
)
def test_a_missing_or_wrong_answer_ends_it(answer: dict[str, object], says: str) -> None:
    with pytest.raises(commands.StepFailed, match=says):
        up.read_result(CALL, answer)


def test_every_example_has_a_showcase_and_a_reference() -> None:
    assert {call.component for call in examples.find_showcases()} == set(examples.list_references())
