"""Writes what is generated from the operator's models: `python -m scripts.generate`, with `--check` only compares.

The kinds go to `crds/`, which people read and the wheel carries, and to the chart, which cannot reach outside itself;
the reference pages go to `docs/reference/`.
"""

from __future__ import annotations

import argparse
import pathlib
import sys

from scripts import reference
from scripts.commands import REPOSITORY, tell
from wasmoor_operator.api.__main__ import render_files

FOLDERS = (REPOSITORY / "crds", REPOSITORY / "charts" / "wasmoor" / "files" / "crds")
PAGES = REPOSITORY / "docs" / "reference"


def list_files() -> dict[pathlib.Path, str]:
    """Return every generated file with its text."""
    kinds = {folder / name: text for folder in FOLDERS for name, text in render_files().items()}
    return kinds | {PAGES / name: text for name, text in reference.render_pages().items()}


def find_stale() -> list[pathlib.Path]:
    """Return files that differ from what the models say, and files that no model gives any more."""
    wanted = list_files()
    there = {file for folder in FOLDERS for file in folder.glob("*.yaml")} | set(PAGES.glob("*.md"))
    differing = {file for file, text in wanted.items() if file not in there or file.read_text("utf-8") != text}
    return sorted(differing | (there - set(wanted)))


def main() -> int:
    """Write, or with `--check` say what is stale; 1 when something is."""
    parser = argparse.ArgumentParser(description="Write what is generated from the operator's models.")
    parser.add_argument("--check", action="store_true", help="write nothing, say what is stale")
    stale = find_stale()
    if parser.parse_args().check:
        for file in stale:
            sys.stderr.write(f"error: {file.relative_to(REPOSITORY)} is stale; run `make generate`\n")
        return 1 if stale else 0
    wanted = list_files()
    for file in stale:
        if file in wanted:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(wanted[file], "utf-8")
        else:
            file.unlink()
        tell(f"{'wrote' if file in wanted else 'removed'} {file.relative_to(REPOSITORY)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
