"""The command `wasmoor`, for people without a cluster and for trying things.

`app`, `component`, `policies` and `cached` hold the commands, `options` what several take, `output` shows results,
`exits` and `problems` say how a command ends. `manifests`, `schemas` and `assembly` go from files to what is to be
served, `targets` from what was typed to one component; `serve` and `stdio` serve, `reloading` and `changes` follow the
files, `display` shows how far it is. `loading`, `calling`, `inspecting`, `pushing`, `listing` and `call` do what their
commands are called.
"""

from __future__ import annotations


def main() -> None:
    """Run the command line; the entry point of the distribution."""
    from wasmoor_runtime.cli import app

    app.run()
