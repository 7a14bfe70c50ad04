"""Every right the operator uses, and why: the table that the chart's roles are compared with.

There is no right on Secrets, none on Pods beyond reading the labelled ones, none on namespaces or on definitions.
Pure data; read by a test of the chart and by people who review what they install.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GROUP = "wasmoor.dev"


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """Verbs on one resource."""

    group: str
    resource: str
    verbs: tuple[str, ...]
    scope: Literal["served", "own"]
    """`served`: every namespace that is served, so a ClusterRole where that is all. `own`: the operator's namespace."""
    why: str


_CHILD = ("list", "watch", "create", "patch", "delete")

RIGHTS: tuple[Right, ...] = (
    Right(
        group=GROUP,
        resource="wasmcomponents",
        verbs=("get", "list", "watch"),
        scope="served",
        why="what is to be served; `get` confirms that an owner lives before a lost child is made again",
    ),
    Right(
        group=GROUP,
        resource="wasmcomponents/status",
        verbs=("patch",),
        scope="served",
        why="says how far a component is",
    ),
    Right(
        group=GROUP,
        resource="wasmcomponents/finalizers",
        verbs=("update",),
        scope="served",
        why="owner references with blockOwnerDeletion need it where OwnerReferencesPermissionEnforcement is on",
    ),
    Right(
        group=GROUP,
        resource="componentpolicies",
        verbs=("list", "watch"),
        scope="served",
        why="what components may use",
    ),
    Right(
        group=GROUP,
        resource="componentpolicies/status",
        verbs=("patch",),
        scope="served",
        why="says whether a policy is valid and how many components it binds",
    ),
    Right(
        group="",
        resource="configmaps",
        verbs=_CHILD,
        scope="served",
        why="the contract; server-side apply is a create or a patch; old contracts are deleted; of a ConfigMap that a"
        " component is in, a list of one name gives the metadata, which hold its version, and nothing it holds is read",
    ),
    Right(group="", resource="serviceaccounts", verbs=_CHILD, scope="served", why="the pods' identity, without rights"),
    Right(group="", resource="services", verbs=_CHILD, scope="served", why="the endpoint"),
    Right(group="apps", resource="deployments", verbs=_CHILD, scope="served", why="the pods"),
    Right(
        group="",
        resource="pods",
        verbs=("list", "watch"),
        scope="served",
        why="addresses, readiness and last exits; lists carry a label selector",
    ),
    Right(
        group="events.k8s.io",
        resource="events",
        verbs=("create",),
        scope="served",
        why="transitions, for `kubectl describe` and `kubectl events`",
    ),
    Right(
        group="coordination.k8s.io",
        resource="leases",
        verbs=("get", "create", "update"),
        scope="own",
        why="one leader among the replicas",
    ),
)
