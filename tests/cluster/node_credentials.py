"""The certificates and kubeconfigs of the node's programs, each with the rights of its own role. Called by bringup."""

import dataclasses
import pathlib

from tests.cluster import commands, configs, kubeconfig
from tests.cluster.certificates import Authority, Pair
from tests.cluster.subnets import Subnets

SERVICE_NAMES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost")
COMPONENTS = ("kube-controller-manager", "kube-scheduler", "kube-proxy")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NodeCredentials:
    """Everything that was issued; kubeconfigs by the name of who uses them."""

    control_plane: commands.Credentials
    admin: Pair
    kubelet_serving: Pair
    kubeconfigs: dict[str, pathlib.Path]


def make_credentials(folder: pathlib.Path, *, cluster: str, server: str, ranges: Subnets) -> NodeCredentials:
    """Issue everything into `folder` for the API server at the URL `server`."""
    authority = Authority(folder / "certificates")
    addresses = (ranges.node_ip, ranges.api_service_ip, "127.0.0.1")
    alternatives = [*(f"DNS:{name}" for name in SERVICE_NAMES), *(f"IP:{address}" for address in addresses)]
    admin = authority.issue_client("admin", user="admin", group="system:masters")
    node = authority.issue_client("node", user=f"system:node:{configs.NODE_NAME}", group="system:nodes")
    clients = {"admin": admin, "kubelet": node}
    clients |= {name: authority.issue_client(name, user=f"system:{name}") for name in COMPONENTS}
    return NodeCredentials(
        control_plane=commands.Credentials(
            authority=authority.root.certificate,
            serving=authority.issue_server("apiserver", user="kube-apiserver", alternatives=alternatives),
            signing=authority.make_signing_key("service-account"),
        ),
        admin=admin,
        kubelet_serving=authority.issue_server("kubelet", user="kubelet", alternatives=[f"IP:{ranges.node_ip}"]),
        kubeconfigs={
            name: kubeconfig.write_kubeconfig(
                folder / "kubeconfigs" / name,
                name=cluster,
                server=server,
                authority=authority.root.certificate,
                user=name,
                client=client,
            )
            for name, client in clients.items()
        },
    )
