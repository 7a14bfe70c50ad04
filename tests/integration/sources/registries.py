"""A real registry (Debian's docker-registry) of its own, on a free loopback port, for as long as a test session lasts.

It is not the one of `make up`: that belongs to a person.
"""

import contextlib
import json
import pathlib
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from typing import Any

from tests.cluster import locks, packages, paths, progress, registry

START_SECONDS = 15.0


@contextlib.contextmanager
def run_registry(folder: pathlib.Path, *, authentication: Mapping[str, Any] | None = None) -> Iterator[str]:
    """Run a registry over `folder`; gives `127.0.0.1:port`. `authentication` is the `auth` of its configuration."""
    address = f"127.0.0.1:{find_free_port()}"
    document = json.loads(registry.render_configuration(folder / "storage", address, "of-this-test"))
    if authentication:
        document["auth"] = authentication
    configuration = folder / "registry.yml"
    configuration.write_text(json.dumps(document))
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen([find_program(), "serve", configuration], stdout=log, stderr=log)
    try:
        wait_until_it_listens(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def find_program() -> pathlib.Path:
    """Return the registry's program, unpacked into the cache if this machine has none."""
    places = paths.find_paths()
    program = packages.find_registry(places)
    if program is None:
        with locks.hold(places.cache / "install.lock"):
            packages.install_registry(places, progress.Progress("install"))
        program = packages.find_registry(places)
    assert program is not None
    return program


def wait_until_it_listens(address: str, process: subprocess.Popen[bytes]) -> None:
    host, _, port = address.partition(":")
    end = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
            return
        assert process.poll() is None, "the registry ended; see its log"
        assert time.monotonic() < end, "the registry did not listen in time"
        time.sleep(0.05)


def find_free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port
