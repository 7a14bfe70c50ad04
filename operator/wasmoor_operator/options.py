"""What people write on the command line or into the environment, as settings.

Every option `--lease-name` can also be given as `WASMOOR_LEASE_NAME`; the command line wins. Pure but for the name of
the host. Called by `__main__` alone.
"""

from __future__ import annotations

import argparse
import socket
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn
from urllib.parse import urlsplit

from wasmoor_operator import settings
from wasmoor_runtime.contract import quantities

PREFIX = "WASMOOR_"
MAX_CONCURRENCY = 256
MIN_CACHE = 64 * 1024 * 1024


class UsageError(Exception):
    """An option that cannot be used; the message names it."""


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage."""
        raise UsageError(f"{message} (see wasmoor-operator run --help)")


def parse_arguments(argv: Sequence[str], environment: Mapping[str, str]) -> argparse.Namespace:
    """Return the options. Raises `UsageError`."""
    parser = _Parser(prog="wasmoor-operator", description="Serves WasmComponents as MCP tools on Kubernetes.")
    run_parser = parser.add_subparsers(dest="command", required=True, parser_class=_Parser).add_parser(
        "run", help="watch the cluster and keep every WasmComponent as it should be"
    )

    def add(flag: str, default: str | None, help: str, **more: Any) -> None:  # noqa: A002 - argparse's own word
        name = PREFIX + flag.removeprefix("--").replace("-", "_").upper()
        told = environment.get(name) or default
        run_parser.add_argument(flag, default=told, help=f"{help} [{name}]", **more)

    add("--runtime-image", None, "image of the runtime; required")
    add("--image-pull-policy", "IfNotPresent", "pull policy of that image", choices=("Always", "IfNotPresent", "Never"))
    add("--mirrors", "", "comma-separated HOST=URL: registries to ask elsewhere")
    add(
        "--cache-type", "emptyDir", "volume for pods' caches", choices=("emptyDir", "hostPath", "persistentVolumeClaim")
    )
    add("--cache-size", "2Gi", "bound of one cache")
    add("--cache-path", "", "directory on the nodes, for hostPath")
    add("--cache-claim", "", "claim in each component's namespace, for persistentVolumeClaim")
    add("--events-sink", "", "http(s)://… that pods send the lifecycle events of their components to; empty: none")
    add("--namespaces", "", "comma-separated namespaces to serve; empty: all")
    add("--resync", "300", "seconds after which everything is looked at again", type=float)
    add("--concurrency", "16", "reconciles at the same time", type=int)
    add("--health-host", "0.0.0.0", "address of /healthz, /readyz and /metrics")  # noqa: S104 - see HealthSettings
    add("--health-port", "8080", "port of the same", type=int)
    add("--leader-election", "true", "hold a Lease while working", choices=("true", "false"))
    add("--lease-name", "wasmoor-operator", "name of the Lease")
    add("--lease-namespace", environment.get("POD_NAMESPACE") or "wasmoor-system", "namespace of the Lease")
    identity = environment.get("POD_NAME") or f"{socket.gethostname()}_{uuid.uuid4().hex[:8]}"
    add("--identity", identity, "name of this replica in the Lease")
    add("--log-format", "json", "how to log", choices=("json", "text"))
    add("--log-level", "INFO", "least level to log", choices=("DEBUG", "INFO", "WARNING", "ERROR"))
    add("--kubeconfig", None, "cluster to work on; default: the pod's service account, else the usual kubeconfig")
    arguments = parser.parse_args(argv)
    if not arguments.runtime_image:
        parser.error("--runtime-image is required: the image that the components' pods run")
    return arguments


def build_settings(arguments: argparse.Namespace) -> settings.Settings:
    """Return the settings. Raises `UsageError`."""
    if not 1 <= arguments.concurrency <= MAX_CONCURRENCY:
        raise UsageError(f"--concurrency is {arguments.concurrency}: write a number from 1 to {MAX_CONCURRENCY}")
    if arguments.resync < 1:
        raise UsageError(f"--resync is {arguments.resync:g}: write at least 1 second")
    return settings.Settings(
        render=settings.RenderSettings(
            runtime_image=arguments.runtime_image,
            image_pull_policy=arguments.image_pull_policy,
            mirrors=parse_mirrors(arguments.mirrors),
            events_sink=parse_sink(arguments.events_sink),
            cache=_build_cache(arguments),
        ),
        pace=settings.PaceSettings(resync=arguments.resync),
        watch=settings.WatchSettings(namespaces=_split(arguments.namespaces)),
        queue=settings.QueueSettings(concurrency=arguments.concurrency),
        election=settings.ElectionSettings(
            enabled=arguments.leader_election == "true",
            name=arguments.lease_name,
            namespace=arguments.lease_namespace,
            identity=arguments.identity,
        ),
        health=settings.HealthSettings(host=arguments.health_host, port=arguments.health_port),
        log=settings.LogSettings(format=arguments.log_format, level=arguments.log_level),
    )


def _build_cache(arguments: argparse.Namespace) -> settings.CacheSettings:
    """Return where pods keep what they fetch. Raises `UsageError`."""
    try:
        size = quantities.parse_bytes(arguments.cache_size)
    except ValueError as error:
        raise UsageError(f"--cache-size: {error}") from error
    if size < MIN_CACHE:
        raise UsageError(f"--cache-size is {arguments.cache_size}: write at least 64Mi")
    kind = arguments.cache_type
    if kind == "hostPath" and not arguments.cache_path.startswith("/"):
        raise UsageError("--cache-type hostPath needs --cache-path, an absolute path such as /var/cache/wasmoor")
    if kind == "persistentVolumeClaim" and not arguments.cache_claim:
        raise UsageError("--cache-type persistentVolumeClaim needs --cache-claim, the name of the claim")
    return settings.CacheSettings(type=kind, size_bytes=size, path=arguments.cache_path, claim=arguments.cache_claim)


def parse_mirrors(text: str) -> dict[str, str]:
    """Return registry host to URL. Raises `UsageError`."""
    mirrors = {}
    for pair in _split(text):
        host, equals, url = pair.partition("=")
        if not (host and equals and url.startswith(("http://", "https://"))):
            raise UsageError(f"--mirrors holds {pair!r}: write HOST=URL, such as ghcr.io=https://mirror.example:5000")
        mirrors[host] = url.rstrip("/")
    return mirrors


def parse_sink(url: str) -> str:
    """Return the URL, or "" for none. Raises `UsageError`."""
    if url and not (url.startswith(("http://", "https://")) and urlsplit(url).netloc):
        raise UsageError("--events-sink must begin with http:// or https:// and name a host")
    return url


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
