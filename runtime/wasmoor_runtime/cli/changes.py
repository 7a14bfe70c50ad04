"""What changed between two readings of the manifests, and which files there are to look at. Pure but for looking.

Files are looked at rather than watched: that works on every file system, network volumes and editors that replace a
file included, and a second does not matter to somebody who edits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from wasmoor_runtime.cli import manifests
from wasmoor_runtime.cli.assembly import Plan
from wasmoor_runtime.cli.problems import UserError
from wasmoor_runtime.contract.spec import FileSource

# A file's name, its size, when it was written last, and which file it is.
Seen = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What to do so that what runs is what the manifests say."""

    added: tuple[Plan, ...] = ()
    changed: tuple[Plan, ...] = ()
    removed: tuple[Plan, ...] = ()


def decide_changes(before: Mapping[str, Plan], after: Iterable[Plan]) -> Changes:
    """Return the differences that matter to what is served, by the components' paths."""
    wanted = {plan.path: plan for plan in after}
    return Changes(
        added=tuple(plan for path, plan in wanted.items() if path not in before),
        changed=tuple(p for path, p in wanted.items() if path in before and not p.means_the_same(before[path])),
        removed=tuple(plan for path, plan in before.items() if path not in wanted),
    )


def observe_manifests(path: Path) -> Seen:
    """Return what the manifests look like from outside; two equal answers mean nothing has been written."""
    try:
        files = manifests.find_files(path)
    except UserError:
        return ()
    return _observe(files)


def observe_component(plan: Plan) -> Seen:
    """Return the same for the file that a component comes from, if it comes from one and nothing pins it."""
    if isinstance(plan.source, FileSource) and plan.source.sha256 is None:
        return _observe([Path(plan.source.path)])
    return ()


def _observe(files: Iterable[Path]) -> Seen:
    seen = []
    for file in files:
        try:
            stat = file.stat()
        except OSError:
            continue
        seen.append((str(file), stat.st_size, stat.st_mtime_ns, stat.st_ino))
    return tuple(seen)
