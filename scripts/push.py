"""Pushes the built examples to the registry: `python -m scripts.push`.

`push_artifact` is what tests push with, too: the official OCI client, not our own, so that what we read is what others
write.
"""

from __future__ import annotations

import contextlib
import pathlib
import sys
import tempfile

import oras.client
from requests import RequestException

from scripts import examples
from scripts.commands import StepFailed, tell
from tests.cluster import paths, registry

CONFIG_TYPE = "application/vnd.wasm.config.v0+json"
LAYER_TYPE = "application/wasm"


def push_artifact(host: str, repository: str, tag: str, file: pathlib.Path, *, plain_http: bool = True) -> str:
    """Push one file as the only layer of a WebAssembly artifact and return the manifest's digest.

    Raises:
        StepFailed: the file is not there, or the registry did not take it.
    """
    target = f"{host}/{repository}:{tag}"
    if not file.is_file():
        raise StepFailed(f"{file} is not there", todo="build it with `make components`")
    with tempfile.TemporaryDirectory() as scratch:
        config = pathlib.Path(scratch) / "config.json"
        config.write_text("{}", encoding="utf-8")
        try:
            # The client prints what it does; it is told where to put that.
            with contextlib.redirect_stdout(sys.stderr):
                answer = oras.client.OrasClient(insecure=plain_http).push(
                    target,
                    files=[f"{file}:{LAYER_TYPE}"],
                    manifest_config=f"{config}:{CONFIG_TYPE}",
                    disable_path_validation=True,
                    quiet=True,
                )
        except (RequestException, ValueError, OSError) as error:
            raise StepFailed(f"{target} was not pushed: {error}", todo="see that the registry runs") from error
    return str(answer.headers["Docker-Content-Digest"])


def push_examples(host: str, *, plain_http: bool = True) -> dict[str, str]:
    """Push every example under the name its manifest uses and return component name → digest."""
    digests: dict[str, str] = {}
    for name, reference in examples.list_references().items():
        repository, _, tag = reference.partition(":")
        digests[name] = push_artifact(
            host, repository, tag, examples.COMPONENTS / f"{name}.wasm", plain_http=plain_http
        )
    return digests


def main() -> int:
    """Push to the registry of this checkout; 0 when done."""
    endpoints = registry.endpoints(paths.find_paths())
    if endpoints is None:
        sys.stderr.write("error: no registry runs; start it with `python3 -m tests.cluster registry up`\n")
        return 1
    try:
        for name, digest in push_examples(endpoints.host).items():
            tell(f"{name}: {digest}")
    except StepFailed as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
