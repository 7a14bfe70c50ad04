"""What an installation decides, as frozen values: built once in `__main__`, passed to whoever needs it.

Knows nothing of where the values come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderSettings:
    """What goes into every child the operator makes."""

    runtime_image: str
    """Image of the runtime, by tag or digest."""
    image_pull_policy: str = "IfNotPresent"
    """`Always`, `IfNotPresent` or `Never`; nodes that were loaded with the image beforehand want `Never`."""
    mirrors: Mapping[str, str] = field(default_factory=dict)
    """`registry host[:port]` to the `http(s)://host[:port]` that pods pull from instead."""
    cache_size: str = "2Gi"
    """Bound of a pod's cache volume (components and their compiled code); the pod is evicted beyond it."""
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
    resync: float = 300.0
    """When all is well: the bound on how long an unannounced change stays unnoticed."""
