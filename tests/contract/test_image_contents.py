"""Each image carries its own dependencies and not the other's."""

from __future__ import annotations

import pathlib
import re
import tomllib

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def read_locked(name: str) -> set[str]:
    text = (REPOSITORY / "requirements" / f"{name}.txt").read_text()
    return set(re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE))


@pytest.mark.parametrize(("name", "present", "absent"), [
    ("operator", {"kopf", "kubernetes"}, {"wasmtime", "uvloop"}),
    ("runtime", {"wasmtime", "uvicorn"}, {"kopf", "kubernetes"}),
])  # fmt: skip
def test_an_image_locks_what_its_process_imports(name: str, present: set[str], absent: set[str]) -> None:
    locked = read_locked(name)
    assert present <= locked
    assert not absent & locked


def test_every_installation_in_the_images_is_checked_against_hashes_or_has_no_index() -> None:
    text = (REPOSITORY / "Dockerfile").read_text().replace("\\\n", " ")
    installations = [line for line in re.split(r"\n|&&", text) if " install " in line]
    assert len(installations) == 5
    assert not [line for line in installations if "--require-hashes" not in line and "--no-index" not in line]


def test_the_images_are_built_with_the_locked_build_system() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    text = (REPOSITORY / "requirements" / "build.in").read_text()
    assert project["build-system"]["requires"] == [line for line in text.splitlines() if not line.startswith("#")]
    assert {name.partition("==")[0] for name in project["build-system"]["requires"]} <= read_locked("build")
