"""Configuration files of the node's programs. Pure: from places and addresses to text.

JSON stands where YAML is read (it is a subset of it). Called by bringup and registry.
"""

import dataclasses
import json
import pathlib
from typing import Any

from tests.cluster.subnets import Subnets

PAUSE_IMAGE = "wasmoor.local/pause:1"
NODE_NAME = "wasmoor"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Folders and files that configurations speak of."""

    node: pathlib.Path
    run: pathlib.Path
    socket: pathlib.Path
    plugins: pathlib.Path
    cgroup: str

    @property
    def network_configuration(self) -> pathlib.Path:
        """Folder that containerd reads network configurations from."""
        return self.node / "cni"

    @property
    def registries(self) -> pathlib.Path:
        """Folder that containerd reads registry settings from, at each pull."""
        return self.node / "registries"


def render_containerd(places: Places) -> str:
    """Configuration of containerd 1.6 and 1.7 (`version = 2`, which 2.x migrates).

    `restrict_oom_score_adj`: without CAP_SYS_RESOURCE, lowering a score is refused and no sandbox would start.
    `netns_mounts_under_state_dir`: pods' namespaces would otherwise stay behind in the machine's own folder.
    """
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    return f"""\
version = 2
root = "{places.node / "containerd"}"
state = "{places.run / "containerd"}"
[grpc]
address = "{places.socket}"
[plugins."io.containerd.internal.v1.opt"]
path = "{places.node / "opt"}"
[{cri}]
sandbox_image = "{PAUSE_IMAGE}"
netns_mounts_under_state_dir = true
restrict_oom_score_adj = true
enable_unprivileged_ports = true
[{cri}.containerd]
default_runtime_name = "runc"
[{cri}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[{cri}.containerd.runtimes.runc.options]
SystemdCgroup = false
[{cri}.cni]
bin_dir = "{places.plugins}"
conf_dir = "{places.network_configuration}"
[{cri}.registry]
config_path = "{places.registries}"
"""


def render_network(places: Places, ranges: Subnets) -> str:
    """A bridge for pods inside the node's namespace, addresses given out from a folder of our own."""
    bridge = {
        "type": "bridge",
        "bridge": "pods0",
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": str(places.node / "addresses"),
            "ranges": [[{"subnet": str(ranges.pods)}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    return _render({"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge, portmap]})


def render_kubelet(places: Places, ranges: Subnets, *, authority: pathlib.Path) -> str:
    """KubeletConfiguration (kubelet.config.k8s.io/v1beta1) for a node that shares its machine.

    Nothing is reserved, nothing is evicted before the disk is really full, and no image is collected: an imported
    image could not be fetched again. There is no cluster DNS: the resolver that pods are given refuses at once.
    """
    return _render(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(authority)},
            },
            "authorization": {"mode": "Webhook"},
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{places.cgroup}",
            "clusterDNS": [ranges.dns_service_ip],
            "clusterDomain": "cluster.local",
            "containerRuntimeEndpoint": f"unix://{places.socket}",
            "enforceNodeAllocatable": [],
            # The default since 1.35 refuses to start on machines with cgroup v1.
            "failCgroupV1": False,
            "failSwapOn": False,
            "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
            "imageGCHighThresholdPercent": 100,
            "podLogsDir": str(places.node / "pod-logs"),
            "volumePluginDir": str(places.node / "volume-plugins"),
            "readOnlyPort": 0,
            "resolvConf": "",
            "serializeImagePulls": False,
        }
    )


def render_dns_service(ranges: Subnets) -> dict[str, Any]:
    """The Service that pods ask for names. It has no endpoints: there is no cluster DNS, and lookups fail at once."""
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
    ]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kube-dns", "labels": {"k8s-app": "kube-dns"}},
        "spec": {"clusterIP": ranges.dns_service_ip, "ports": ports},
    }


def render_proxy(*, kubeconfig: pathlib.Path, ranges: Subnets) -> str:
    """KubeProxyConfiguration: iptables inside the namespace; the machine's connection tracking is left as it is."""
    return _render(
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "clientConnection": {"kubeconfig": str(kubeconfig)},
            "clusterCIDR": str(ranges.pods),
            "conntrack": {"maxPerCore": 0},
            "hostnameOverride": NODE_NAME,
            "iptables": {"minSyncPeriod": "100ms"},
        }
    )


def render_registry_hosts(address: str) -> str:
    """hosts.toml of a registry that speaks plain HTTP; `address` is `IP:PORT`."""
    return f'server = "http://{address}"\n[host."http://{address}"]\ncapabilities = ["pull", "resolve"]\n'


def _render(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1) + "\n"
