"""Brings the node's processes up, in order, on a machine where nothing of an earlier node is left. Called by node.

Each process enters the cluster's cgroup before it starts, and the state is written after each, so that `down` finds
everything wherever this was interrupted.
"""

import pathlib
import tempfile
from collections.abc import Sequence

from tests.cluster import (
    apiserver,
    cgroups,
    commands,
    configs,
    containerd,
    locks,
    network,
    oci,
    packages,
    processes,
    state,
)
from tests.cluster.errors import ClusterError
from tests.cluster.node_credentials import NodeCredentials, make_credentials
from tests.cluster.paths import Paths
from tests.cluster.progress import Progress
from tests.cluster.subnets import Subnets
from tests.cluster.toolchain import Tools

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ETCD_PORT = 2379
API_PORT = 6443
# Chooses ranges and adds routes: two checkouts must not choose the same ones.
NETWORK_LOCK = pathlib.Path("/run/wasmoor/network.lock")


def bring_up(paths: Paths, tools: Tools, *, key: str, progress: Progress) -> None:
    """Bring everything up and wait until a pod could be scheduled; an error leaves parts running for `tear_down`."""
    plugins = packages.find_plugin_folder()
    if plugins is None:
        raise ClusterError("network plugins are missing", where="/usr/lib/cni", todo="run the command `install`")
    for folder in (paths.node, paths.run, paths.logs):
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    cgroup_procs = cgroups.create(paths.name)
    with locks.hold(NETWORK_LOCK):
        ranges = network.observe_free_subnets(paths)
        network.create(paths, ranges)
    progress.say(f"network {ranges.whole}: host {ranges.host_ip}, node {ranges.node_ip}")
    places = configs.Places(
        node=paths.node, run=paths.run, socket=paths.containerd_socket, plugins=plugins, cgroup=paths.name
    )
    server = f"https://{ranges.node_ip}:{API_PORT}"
    credentials = make_credentials(paths.node, cluster=paths.name, server=server, ranges=ranges)
    write_configurations(places, ranges, credentials)
    known = state.NodeState(ranges=ranges, key=key)
    Attempt(paths, tools, credentials=credentials, cgroup_procs=cgroup_procs, known=known, progress=progress).run()
    known.complete = True
    state.write_state(paths.node, known)


def write_configurations(places: configs.Places, ranges: Subnets, credentials: NodeCredentials) -> None:
    """Write every program's configuration file."""
    texts = {
        "containerd.toml": configs.render_containerd(places),
        "cni/10-pods.conflist": configs.render_network(places, ranges),
        "kubelet.json": configs.render_kubelet(places, ranges, authority=credentials.control_plane.authority),
        "kube-proxy.json": configs.render_proxy(kubeconfig=credentials.kubeconfigs["kube-proxy"], ranges=ranges),
    }
    for name, text in texts.items():
        path = places.node / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    places.registries.mkdir(exist_ok=True)


class Attempt:
    """Starts the processes of one node, whose network, certificates and configurations are there."""

    def __init__(
        self,
        paths: Paths,
        tools: Tools,
        *,
        credentials: NodeCredentials,
        cgroup_procs: Sequence[pathlib.Path],
        known: state.NodeState,
        progress: Progress,
    ) -> None:
        self._paths = paths
        self._tools = tools
        self._credentials = credentials
        self._cgroup_procs = cgroup_procs
        self._state = known
        self._progress = progress
        self._server = apiserver.ApiServer(
            f"https://{known.ranges.node_ip}:{API_PORT}",
            authority=credentials.control_plane.authority,
            client=credentials.admin,
        )

    def run(self) -> None:
        """Start everything in order; containerd gets ready while the API server does."""
        ranges = self._state.ranges
        self._start_runtime()
        self._start_control_plane(ranges)
        self._import_pause()
        self._start_node(ranges)
        self._wait_until_ready(ranges)

    def _start_runtime(self) -> None:
        configuration = self._paths.node / "containerd.toml"
        self._start("containerd", [processes.find_program("containerd"), "--config", str(configuration)])

    def _start_control_plane(self, ranges: Subnets) -> None:
        find = self._tools.find
        data = self._paths.node / "etcd"
        self._start("etcd", commands.render_etcd(find("etcd"), data=data, client_port=ETCD_PORT, peer_port=2380))
        server = commands.render_api_server(
            find("kube-apiserver"),
            credentials=self._credentials.control_plane,
            etcd_port=ETCD_PORT,
            port=API_PORT,
            services=str(ranges.services),
            more={
                "advertise-address": ranges.node_ip,
                "allow-privileged": "true",
                "authorization-mode": "Node,RBAC",
                "enable-admission-plugins": "NodeRestriction",
                "kubelet-preferred-address-types": "InternalIP",
                "kubelet-certificate-authority": self._credentials.control_plane.authority,
                "kubelet-client-certificate": self._credentials.admin.certificate,
                "kubelet-client-key": self._credentials.admin.key,
            },
        )
        self._start("kube-apiserver", server)
        self._wait("the API server", lambda: self._server.exists("/readyz"))
        self._progress.say("API server ready")

    def _import_pause(self) -> None:
        runtime = containerd.Containerd(self._paths.containerd_socket)
        self._wait("containerd", runtime.is_ready)
        with tempfile.TemporaryDirectory(dir=self._paths.node) as temporary:
            layer, archive = pathlib.Path(temporary) / "layer.tar", pathlib.Path(temporary) / "pause.tar"
            oci.write_program_layer(layer, self._tools.find("pause"))
            configuration = {"Entrypoint": ["/pause"], "User": "65535"}
            oci.write_image(archive, layer=layer, name=configs.PAUSE_IMAGE, configuration=configuration)
            runtime.import_archive(archive)
        self._progress.say("containerd ready")

    def _start_node(self, ranges: Subnets) -> None:
        find, kubeconfigs = self._tools.find, self._credentials.kubeconfigs
        manager = commands.render_controller_manager(
            find("kube-controller-manager"),
            credentials=self._credentials.control_plane,
            kubeconfig=kubeconfigs["kube-controller-manager"],
        )
        self._start("kube-controller-manager", manager)
        scheduler = commands.render_scheduler(find("kube-scheduler"), kubeconfig=kubeconfigs["kube-scheduler"])
        self._start("kube-scheduler", scheduler)
        kubelet = {
            "config": self._paths.node / "kubelet.json",
            "kubeconfig": kubeconfigs["kubelet"],
            "hostname-override": configs.NODE_NAME,
            "node-ip": ranges.node_ip,
            "root-dir": self._paths.node / "kubelet",
            "cert-dir": self._paths.node / "kubelet" / "pki",
            "tls-cert-file": self._credentials.kubelet_serving.certificate,
            "tls-private-key-file": self._credentials.kubelet_serving.key,
        }
        self._start("kubelet", commands.render_flags(find("kubelet"), kubelet))
        proxy = {"config": self._paths.node / "kube-proxy.json"}
        self._start("kube-proxy", commands.render_flags(find("kube-proxy"), proxy))

    def _wait_until_ready(self, ranges: Subnets) -> None:
        self._wait("the node's readiness", self._server.is_node_ready)
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        self._wait("the first service account", lambda: self._server.exists(account))
        # Names fail at once instead of timing out: a Service without endpoints refuses what is sent to it.
        self._server.create("/api/v1/namespaces/kube-system/services", configs.render_dns_service(ranges))
        self._progress.say("node Ready")

    def _start(self, name: str, command: Sequence[str]) -> None:
        started = processes.start(
            command,
            log=self._log(name),
            path=PATH,
            cgroup_procs=self._cgroup_procs,
            namespace=network.namespace_file(self._paths),
        )
        process = processes.identify(started)
        if process is None:
            raise ClusterError(f"{name} ended at once", where=str(self._log(name)), todo="read its last lines")
        self._state.processes[name] = process
        state.write_state(self._paths.node, self._state)

    def _log(self, name: str) -> pathlib.Path:
        return self._paths.logs / f"{name}.log"

    def _wait(self, what: str, is_true: apiserver.Question) -> None:
        apiserver.wait_for(what, is_true, deadline=120.0, explain=self._explain)

    def _explain(self) -> str:
        for name, process in self._state.processes.items():
            if not processes.is_running(process):
                last = processes.read_last_line(self._log(name))
                raise ClusterError(f"{name} ended: {last}", where=str(self._log(name)), todo="read that log")
        return str(self._paths.logs)
