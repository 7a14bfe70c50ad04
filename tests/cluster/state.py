"""What an `up` remembers for the next command: address ranges, processes, and which build they are.

A hint, never the authority: processes are verified by start time and cgroup before anything is done to them. Called
by bringup, teardown and node.
"""

import dataclasses
import ipaddress
import json
import pathlib

from tests.cluster.kubeconfig import write_private
from tests.cluster.processes import Process
from tests.cluster.subnets import Subnets


@dataclasses.dataclass(slots=True, kw_only=True)
class NodeState:
    """Grows while the node comes up, and is written after each step."""

    ranges: Subnets
    key: str
    processes: dict[str, Process] = dataclasses.field(default_factory=dict)
    complete: bool = False


def render_state(state: NodeState) -> str:
    """Render as JSON."""
    document = {
        "network": str(state.ranges.whole),
        "key": state.key,
        "complete": state.complete,
        "processes": {name: dataclasses.asdict(process) for name, process in state.processes.items()},
    }
    return json.dumps(document, indent=1) + "\n"


def parse_state(text: str) -> NodeState | None:
    """Parse what `render_state` wrote; None when it is anything else, such as the file of another version."""
    try:
        document = json.loads(text)
        return NodeState(
            ranges=Subnets(whole=ipaddress.IPv4Network(document["network"])),
            key=str(document["key"]),
            complete=document["complete"] is True,
            processes={name: Process(**fields) for name, fields in document["processes"].items()},
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def read_state(folder: pathlib.Path) -> NodeState | None:
    """The state in a node's folder; None when there is none."""
    try:
        return parse_state((folder / "state.json").read_text(encoding="utf-8"))
    except OSError:
        return None


def write_state(folder: pathlib.Path, state: NodeState) -> None:
    """Put the state in place in one step."""
    write_private(folder / "state.json", render_state(state))
