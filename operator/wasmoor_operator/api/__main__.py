"""`python -m wasmoor_operator.api DIRECTORY` writes both CustomResourceDefinitions into a directory."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import yaml

from wasmoor_operator.api import group, schemas

HEADER = "# Generated from operator/wasmoor_operator/api by `make generate`; change it there.\n"


def render_files() -> dict[str, str]:
    """Return the text of each file by its name."""
    return {
        f"{group.GROUP}_{group.COMPONENT_PLURAL}.yaml": _render(schemas.build_component_crd()),
        f"{group.GROUP}_{group.POLICY_PLURAL}.yaml": _render(schemas.build_policy_crd()),
    }


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description="Write the CustomResourceDefinitions.")
    parser.add_argument("directory", type=Path, help="where to write them, usually crds")
    directory: Path = parser.parse_args().directory
    for name, text in render_files().items():
        (directory / name).write_text(text, encoding="utf-8")


def _render(crd: dict[str, Any]) -> str:
    """Return YAML in the order of the models, without anchors."""
    dumper = type("_Dumper", (yaml.SafeDumper,), {"ignore_aliases": lambda *_: True})
    return HEADER + yaml.dump(crd, Dumper=dumper, sort_keys=False, width=120, allow_unicode=True)


if __name__ == "__main__":
    main()
