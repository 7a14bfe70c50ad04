"""The command `wasmoor`, for people without a cluster and for trying things.

`app` holds the commands; `manifests` reads files (pure but for reading them), `schemas` checks them against the CRDs,
`assembly` turns them into hosts, `serve` runs those, `display` shows how far they are, `call` calls a tool.
"""

from __future__ import annotations


def main() -> None:
    """Run the command line; the entry point of the distribution."""
    from wasmoor_runtime.cli import app

    app.run()
