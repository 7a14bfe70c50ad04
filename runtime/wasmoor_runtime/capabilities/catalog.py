"""All capabilities, and the interfaces they provide. The composition roots of the front and of zygotes use this.

`PROVIDED` is plain data, so that the front can hand it to the compile process without loading an engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wasmoor_runtime.engine.machine import Capability
    from wasmoor_runtime.engine.reports import Reports

# Interfaces with their version track, as `engine.inspection.version_track` writes it.
PROVIDED: tuple[str, ...] = (
    "wasmoor:mcp/progress@0.1",
    *(
        f"wasi:{name}@0.2"
        for name in (
            *(f"cli/{each}" for each in ("environment", "exit", "stdin", "stdout", "stderr")),
            *(f"cli/terminal-{each}" for each in ("input", "output", "stdin", "stdout", "stderr")),
            *(f"clocks/{each}" for each in ("monotonic-clock", "wall-clock")),
            *(f"filesystem/{each}" for each in ("preopens", "types")),
            *(f"io/{each}" for each in ("error", "poll", "streams")),
            *(f"random/{each}" for each in ("random", "insecure", "insecure-seed")),
            *(f"sockets/{each}" for each in ("network", "instance-network", "ip-name-lookup")),
            *(f"sockets/{each}" for each in ("tcp", "tcp-create-socket", "udp", "udp-create-socket")),
            *(f"http/{each}" for each in ("types", "outgoing-handler")),
        )
    ),
)


def build_capabilities(reports: Reports) -> list[Capability]:
    """Return one of each, WASI first: HTTP needs it. `reports` takes what guests say of their progress."""
    from wasmoor_runtime.capabilities import http, progress, wasi

    return [wasi.Wasi(), http.Http(), progress.Progress(reports)]
