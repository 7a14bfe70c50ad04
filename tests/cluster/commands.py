"""Argument lists of the control plane's programs. Pure: from addresses and files to words.

Shared by the node (`node`) and the control plane of integration tests (`control_plane`); each adds flags of its own.
"""

import dataclasses
import pathlib
from collections.abc import Iterable, Mapping

from tests.cluster.certificates import Pair

ISSUER = "https://kubernetes.default.svc.cluster.local"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What an API server and a controller manager need of a cluster's certificates."""

    authority: pathlib.Path
    serving: Pair
    signing: Pair


def render_flags(program: pathlib.Path, flags: Mapping[str, object]) -> list[str]:
    """Render `--name=value` words after the program."""
    return [str(program), *(f"--{name}={value}" for name, value in flags.items())]


def render_etcd(program: pathlib.Path, *, data: pathlib.Path, client_port: int, peer_port: int) -> list[str]:
    """One etcd member on loopback. It does not wait for the disk: its data is worth nothing after a crash."""
    client, peer = f"http://127.0.0.1:{client_port}", f"http://127.0.0.1:{peer_port}"
    return render_flags(
        program,
        {
            "name": "node",
            "data-dir": data,
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"node={peer}",
            "unsafe-no-fsync": "true",
            "log-level": "warn",
        },
    )


def render_api_server(
    program: pathlib.Path,
    *,
    credentials: Credentials,
    etcd_port: int,
    port: int,
    services: str,
    more: Mapping[str, object],
) -> list[str]:
    """The API server with RBAC; `more` holds the flags that only one kind of control plane has."""
    return render_flags(
        program,
        {
            "etcd-servers": f"http://127.0.0.1:{etcd_port}",
            "secure-port": port,
            "service-cluster-ip-range": services,
            "tls-cert-file": credentials.serving.certificate,
            "tls-private-key-file": credentials.serving.key,
            "client-ca-file": credentials.authority,
            "service-account-issuer": ISSUER,
            "service-account-key-file": credentials.signing.certificate,
            "service-account-signing-key-file": credentials.signing.key,
            "profiling": "false",
            **more,
        },
    )


def render_controller_manager(
    program: pathlib.Path,
    *,
    credentials: Credentials,
    kubeconfig: pathlib.Path,
    controllers: Iterable[str] = ("*",),
) -> list[str]:
    """The controller manager with the given controllers.

    Each controller acts as its own service account: without that, garbage collection is forbidden for ever under RBAC.
    The request rate is raised from 20 a second so that tests do not wait for it.
    """
    return render_flags(
        program,
        {
            "kubeconfig": kubeconfig,
            "controllers": ",".join(controllers),
            "root-ca-file": credentials.authority,
            "service-account-private-key-file": credentials.signing.key,
            "use-service-account-credentials": "true",
            "leader-elect": "false",
            "secure-port": "0",
            "kube-api-qps": "200",
            "kube-api-burst": "400",
        },
    )


def render_scheduler(program: pathlib.Path, *, kubeconfig: pathlib.Path) -> list[str]:
    """The scheduler."""
    return render_flags(
        program,
        {
            "kubeconfig": kubeconfig,
            "authentication-kubeconfig": kubeconfig,
            "authorization-kubeconfig": kubeconfig,
            "leader-elect": "false",
            "secure-port": "0",
        },
    )
