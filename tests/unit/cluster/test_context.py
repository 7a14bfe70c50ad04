"""Images are named after what they are built from."""

import os
import pathlib

import pytest

from tests.cluster import builder, context, errors

IGNORE = "# inputs\n*\n!operator\n!README.md\n**/__pycache__\n"


@pytest.fixture
def checkout(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "operator" / "__pycache__").mkdir(parents=True)
    (tmp_path / "operator" / "__pycache__" / "a.pyc").write_bytes(b"1")
    (tmp_path / "operator" / "a.py").write_text("a = 1\n", encoding="utf-8")
    (tmp_path / "README.md").write_text("read\n", encoding="utf-8")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    (tmp_path / "unrelated").write_text("x\n", encoding="utf-8")
    return tmp_path


def tag(checkout: pathlib.Path, base: str = "base") -> str:
    files = context.find_files(checkout, context.parse_inputs(IGNORE))
    return context.compute_tag(checkout, files, base)


def test_the_inputs_are_those_that_dockerignore_lets_through() -> None:
    assert context.parse_inputs(IGNORE) == ["Dockerfile", "README.md", "operator"]


def test_a_dockerignore_that_lets_everything_through_is_refused() -> None:
    with pytest.raises(errors.ClusterError, match="open-ended"):
        context.parse_inputs("!operator\n")


def test_caches_of_python_are_no_input(checkout: pathlib.Path) -> None:
    files = context.find_files(checkout, ["operator"])
    assert files == [pathlib.Path("operator/a.py")]


def test_an_input_that_is_missing_is_named(checkout: pathlib.Path) -> None:
    with pytest.raises(errors.ClusterError, match="crds is not there"):
        context.find_files(checkout, ["crds"])


def test_a_changed_input_changes_the_tag(checkout: pathlib.Path) -> None:
    before = tag(checkout)
    (checkout / "operator" / "a.py").write_text("a = 2\n", encoding="utf-8")
    assert tag(checkout) != before


def test_an_executable_bit_changes_the_tag(checkout: pathlib.Path) -> None:
    before = tag(checkout)
    (checkout / "operator" / "a.py").chmod(0o755)
    assert tag(checkout) != before


def test_another_base_changes_the_tag(checkout: pathlib.Path) -> None:
    assert tag(checkout, "one") != tag(checkout, "other")


def test_times_and_unrelated_files_do_not_change_the_tag(checkout: pathlib.Path) -> None:
    before = tag(checkout)
    os.utime(checkout / "operator" / "a.py", (1, 1))
    (checkout / "unrelated").write_text("y\n", encoding="utf-8")
    (checkout / "operator" / "__pycache__" / "a.pyc").write_bytes(b"2")
    assert tag(checkout) == before


def test_a_staged_context_holds_the_inputs_with_fixed_times(checkout: pathlib.Path, tmp_path: pathlib.Path) -> None:
    target = tmp_path / "context"
    context.stage(checkout, context.find_files(checkout, context.parse_inputs(IGNORE)), target)
    staged = sorted(file.relative_to(target).as_posix() for file in target.rglob("*") if file.is_file())
    assert staged == ["Dockerfile", "README.md", "operator/a.py"]
    assert {int(file.stat().st_mtime) for file in target.rglob("*")} == {0}


def test_the_builder_forgets_the_oldest_images_and_never_the_base() -> None:
    def image(created: int, *names: str) -> dict[str, object]:
        return {"id": str(created), "created": created, "names": list(names) or None}

    listed = [image(0, "base:1"), *(image(created) for created in range(1, builder.KEPT_IMAGES + 3))]
    assert builder.choose_unneeded(listed, "base:1") == ["2", "1"]


@pytest.mark.parametrize("reference", ["localhost:5000/a:1", "127.0.0.1:5000/a:1", "10.1.2.3/a:1", "[::1]:5000/a:1"])
def test_a_registry_nearby_may_speak_plain_http(reference: str) -> None:
    assert builder.is_local(reference)


@pytest.mark.parametrize("reference", ["ghcr.io/a/b:1", "registry.example:5000/a:1", "8.8.8.8/a:1"])
def test_a_registry_far_away_must_prove_who_it_is(reference: str) -> None:
    assert not builder.is_local(reference)
