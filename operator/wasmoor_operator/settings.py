"""What an installation decides, as frozen values, one group for each theme.

Built once in `__main__` from arguments and environment, passed to whoever needs it. Knows nothing of where the values
come from, of Kubernetes or of kopf. Times are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

CacheType = Literal["emptyDir", "hostPath", "persistentVolumeClaim"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSettings:
    """The volume where pods keep components and their compiled code.

    A shared one saves pulling and compiling, and makes every pod trust what the others wrote: compiled code is run.
    """

    type: CacheType = "emptyDir"
    """A volume of each pod's own, a directory of its node, or a claim in each component's namespace."""
    size_bytes: int = 2 * 1024**3
    """Bound of the cache. Pods remove what was used longest ago; beyond an `emptyDir` of this size kubelet evicts."""
    path: str = ""
    """Directory on the node, for `hostPath`; it must exist and be writable for the pods' user."""
    claim: str = ""
    """Name of the claim, for `persistentVolumeClaim`; many pods must be able to write to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderSettings:
    """What goes into every child the operator makes."""

    runtime_image: str
    """Image of the runtime, by tag or digest."""
    image_pull_policy: str = "IfNotPresent"
    """`Always`, `IfNotPresent` or `Never`; nodes that were loaded with the image beforehand want `Never`."""
    mirrors: Mapping[str, str] = field(default_factory=dict)
    """`registry host[:port]` to the `http(s)://host[:port]` that pods pull from instead."""
    cache: CacheSettings = field(default_factory=CacheSettings)
    """Where pods keep components and their compiled code."""
    events_sink: str = ""
    """Where pods send the lifecycle events of their components, as CloudEvents; empty: nowhere."""
    tmp_size: str = "64Mi"
    """Bound of a pod's /tmp, which is in memory."""
    max_artifact_bytes: int = 64 * 1024 * 1024
    """Largest component a pod pulls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceSettings:
    """How often the operator looks again, in seconds, when nothing else makes it look."""

    poll: float = 2.0
    """While pods start: they say over HTTP how far they are, and nothing announces that."""
    stalled: float = 60.0
    """While somebody has to act outside the cluster, such as push the tag that is missing."""
    config_map: float = 15.0
    """How often a ConfigMap that a component is in is asked for its version."""
    resync: float = 300.0
    """When all is well: the bound on how long an unannounced change stays unnoticed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings:
    """How references are looked up."""

    deadline: float = 15.0
    """One lookup, all of its requests and retries together."""
    parallel: int = 32
    """Lookups at the same time; they never occupy a reconcile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """Which part of the cluster is served."""

    namespaces: tuple[str, ...] = ()
    """Namespaces to serve. Empty: all of them, which needs cluster-wide rights."""
    server_timeout: int = 300
    """How long one watch lasts before it is opened again; short enough that a dead one is noticed."""
    silence: float = 100.0
    """A watch that says nothing, not even a bookmark, for this long is dead. Bookmarks come about every 60 s."""
    page: int = 500
    """Objects in one page of a list; bounds the memory of a start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSettings:
    """How work is spread."""

    concurrency: int = 16
    """Reconciles at the same time. More is no faster: the API server is the limit."""
    deadline: float = 60.0
    """One reconcile; a longer one is given up and tried again."""
    backoff_initial: float = 0.5
    """First delay after an unexpected error; it doubles."""
    backoff_max: float = 300.0
    """Longest delay after an unexpected error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSettings:
    """How the runtime's pods are asked."""

    status_port: int = 9090
    """Where `/status` is."""
    mcp_port: int = 8080
    """Where `/mcp` is."""
    status_deadline: float = 2.0
    """One question to `/status`. Pods answer it from memory."""
    handshake_deadline: float = 5.0
    """One MCP handshake with its list of tools."""
    status_bytes: int = 4 * 1024 * 1024
    """Largest answer that is read."""
    parallel: int = 64
    """Questions at the same time; they never occupy a reconcile."""
    retry_max: float = 30.0
    """Longest delay after a pod could not be asked; the first is `PaceSettings.poll`, and it doubles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiServerSettings:
    """How the API server is spoken to."""

    request_timeout: float = 30.0
    """One request, watches apart."""
    connect_timeout: float = 10.0
    """Opening one connection."""
    connections: int = 64
    """Connections held at most, watches included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectionSettings:
    """Who leads, when several replicas run. The three times are those of Kubernetes' own controllers."""

    enabled: bool = True
    """Off only where exactly one process can run, such as a laptop."""
    name: str = "wasmoor-operator"
    """Name of the Lease."""
    namespace: str = "wasmoor-system"
    """Namespace of the Lease."""
    identity: str = "wasmoor-operator"
    """This replica's name in the Lease; every process needs its own, and `__main__` makes it so."""
    lease_duration: int = 15
    """A Lease that was not renewed for this long may be taken by another replica."""
    renew_deadline: int = 10
    """A leader that could not renew for this long stops; less than the duration, so that two never lead."""
    retry_period: int = 2
    """Time between two attempts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSettings:
    """Where the process answers about itself."""

    host: str = "0.0.0.0"  # noqa: S104 - kubelet and Prometheus come from outside the pod
    """Address to listen on."""
    port: int = 8080
    """Port of /healthz, /readyz and /metrics."""
    stale: float = 180.0
    """A watch that has been silent for longer than this makes /healthz fail, so that the process is restarted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """How the process logs."""

    format: Literal["json", "text"] = "json"
    """`json` for collectors, `text` for people."""
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least level that is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of it."""

    render: RenderSettings
    pace: PaceSettings = field(default_factory=PaceSettings)
    registry: RegistrySettings = field(default_factory=RegistrySettings)
    watch: WatchSettings = field(default_factory=WatchSettings)
    queue: QueueSettings = field(default_factory=QueueSettings)
    pods: PodSettings = field(default_factory=PodSettings)
    api_server: ApiServerSettings = field(default_factory=ApiServerSettings)
    election: ElectionSettings = field(default_factory=ElectionSettings)
    health: HealthSettings = field(default_factory=HealthSettings)
    log: LogSettings = field(default_factory=LogSettings)
