"""Where things are: the checkout, the cache outside it, and the state of this checkout's cluster.

Every name that the host shares (network namespace, interface, cgroup, sockets) is derived from the checkout's path, so
two checkouts never meet and a cluster whose state was lost can still be found and removed by name. Pure but for
reading the environment; everything else in `tests.cluster` asks here.
"""

import dataclasses
import hashlib
import os
import pathlib
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """The places and the host-wide names of one checkout."""

    checkout: pathlib.Path
    cache: pathlib.Path
    identity: str

    @property
    def name(self) -> str:
        """Name of the network namespace, of the cgroup, and mark of the firewall rule."""
        return f"wasmoor-{self.identity}"

    @property
    def interface(self) -> str:
        """Host end of the veth pair; interface names hold 15 characters."""
        return f"wm{self.identity}"

    @property
    def binaries(self) -> pathlib.Path:
        """Built programs, one folder per product and key; shared by all checkouts."""
        return self.cache / "bin"

    @property
    def node(self) -> pathlib.Path:
        """Everything the node keeps: certificates, etcd, containerd, kubelet. Gone after `down`."""
        return self.cache / "clusters" / self.identity / "node"

    @property
    def logs(self) -> pathlib.Path:
        """What the node's programs said; kept after `down` until the next `up`."""
        return self.cache / "clusters" / self.identity / "logs"

    @property
    def lock(self) -> pathlib.Path:
        """Held by every command that changes this checkout's cluster."""
        return self.cache / "clusters" / f"{self.identity}.lock"

    @property
    def registry(self) -> pathlib.Path:
        """Blobs, configuration and logs of the registry."""
        return self.cache / "clusters" / self.identity / "registry"

    @property
    def images(self) -> pathlib.Path:
        """Image archives, base images and the builder's storage; shared by all checkouts."""
        return self.cache / "images"

    @property
    def run(self) -> pathlib.Path:
        """Sockets and containerd's run-time state: a short path, because a socket's path holds 107 bytes."""
        return pathlib.Path("/run/wasmoor") / self.identity

    @property
    def containerd_socket(self) -> pathlib.Path:
        """The node's own containerd; never the host's."""
        return self.run / "containerd.sock"

    @property
    def kubeconfig(self) -> pathlib.Path:
        """What people and tests use to reach the cluster."""
        return self.checkout / ".wasmoor" / "kubeconfig"

    @property
    def go_modules(self) -> pathlib.Path:
        """The pinned Go modules that the cluster is built from."""
        return self.checkout / "tests" / "cluster" / "go"


def find_paths(environment: Mapping[str, str] = os.environ) -> Paths:
    """Derive all places from this file's checkout and the environment (WASMOOR_CACHE, XDG_CACHE_HOME)."""
    checkout = pathlib.Path(__file__).resolve().parents[2]
    return derive_paths(checkout, environment)


def derive_paths(checkout: pathlib.Path, environment: Mapping[str, str]) -> Paths:
    """Derive the places of one checkout; the cache is `$WASMOOR_CACHE`, or `wasmoor` in the user's cache folder."""
    home = environment.get("HOME") or str(pathlib.Path.home())
    shared = environment.get("XDG_CACHE_HOME") or f"{home}/.cache"
    cache = pathlib.Path(environment.get("WASMOOR_CACHE") or f"{shared}/wasmoor")
    identity = hashlib.sha256(str(checkout).encode()).hexdigest()[:8]
    return Paths(checkout=checkout, cache=cache.absolute(), identity=identity)


def foreign_context(environment: Mapping[str, str] = os.environ) -> str | None:
    """Name of the kubeconfig context that the person chose with CONTEXT, or None for the cluster of this checkout.

    KUBECONFIG alone chooses nothing: many people have it set all day, and it may name a production cluster.
    """
    return environment.get("CONTEXT") or None
