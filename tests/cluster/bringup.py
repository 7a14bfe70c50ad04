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
    kubeconfig,
    locks,
    network,
    oci,
    packages,
    processes,
    state,
)
from tests.cluster.certificates import Authority, Pair
from tests.cluster.errors import ClusterError
from tests.cluster.paths import Paths
from tests.cluster.progress import Progress
from tests.cluster.subnets import Subnets
from tests.cluster.toolchain import Tools

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ETCD_PORT = 2379
API_PORT = 6443
# Chooses ranges and adds routes: two checkouts must not choose the same ones.
NETWORK_LOCK = pathlib.Path("/run/wasmoor/network.lock")


class BringUp:
    """One attempt; `run` does everything and leaves the state complete, or raises with parts running."""

    def __init__(self, paths: Paths, tools: Tools, *, key: str, progress: Progress) -> None:
        plugins = packages.find_plugin_folder()
        if plugins is None:
            raise ClusterError("network plugins are missing", where="/usr/lib/cni", todo="run the command `install`")
        self._paths = paths
        self._tools = tools
        self._key = key
        self._progress = progress
        self._places = configs.Places(
            node=paths.node, run=paths.run, socket=paths.containerd_socket, plugins=plugins, cgroup=paths.name
        )
        self._cgroup_procs: list[pathlib.Path] = []

    def run(self) -> None:
        """Bring everything up and wait until a pod could be scheduled."""
        for folder in (self._paths.node, self._paths.run, self._paths.logs):
            folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        self._cgroup_procs = cgroups.create(self._paths.name)
        with locks.hold(NETWORK_LOCK):
            ranges = network.observe_free_subnets(self._paths)
            network.create(self._paths, ranges)
        self._state = state.NodeState(ranges=ranges, key=self._key)
        self._progress.say(f"network {ranges.whole}: host {ranges.host_ip}, node {ranges.node_ip}")
        self._make_credentials(ranges)
        self._write_configurations(ranges)
        self._start_runtime()
        self._start_control_plane(ranges)
        self._import_pause()
        self._start_node(ranges)
        self._wait_until_ready(ranges)
        self._state.complete = True
        state.write_state(self._paths.node, self._state)

    def _make_credentials(self, ranges: Subnets) -> None:
        node, server = ranges.node_ip, f"https://{ranges.node_ip}:{API_PORT}"
        authority = Authority(self._paths.node / "certificates")
        names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost"]
        addresses = [node, ranges.api_service_ip, "127.0.0.1"]
        alternatives = [*(f"DNS:{name}" for name in names), *(f"IP:{address}" for address in addresses)]
        self._credentials = commands.Credentials(
            authority=authority.root.certificate,
            serving=authority.issue_server("apiserver", user="kube-apiserver", alternatives=alternatives),
            signing=authority.make_signing_key("service-account"),
        )
        self._kubelet_serving = authority.issue_server("kubelet", user="kubelet", alternatives=[f"IP:{node}"])
        self._admin = authority.issue_client("admin", user="admin", group="system:masters")
        clients = {
            "admin": self._admin,
            "kubelet": authority.issue_client("node", user=f"system:node:{configs.NODE_NAME}", group="system:nodes"),
            **{
                name: authority.issue_client(name, user=f"system:{name}")
                for name in ("kube-controller-manager", "kube-scheduler", "kube-proxy")
            },
        }
        for name, client in clients.items():
            self._write_kubeconfig(self._kubeconfig(name), server, name, client)
        self._server = apiserver.ApiServer(server, authority=self._credentials.authority, client=self._admin)

    def _write_kubeconfig(self, path: pathlib.Path, server: str, user: str, client: Pair) -> None:
        kubeconfig.write_kubeconfig(
            path,
            name=self._paths.name,
            server=server,
            authority=self._credentials.authority,
            user=user,
            client=client,
        )

    def _kubeconfig(self, user: str) -> pathlib.Path:
        return self._paths.node / "kubeconfigs" / user

    def _write_configurations(self, ranges: Subnets) -> None:
        proxy = configs.render_proxy(kubeconfig=self._kubeconfig("kube-proxy"), ranges=ranges)
        texts = {
            "containerd.toml": configs.render_containerd(self._places),
            "cni/10-pods.conflist": configs.render_network(self._places, ranges),
            "kubelet.json": configs.render_kubelet(self._places, ranges, authority=self._credentials.authority),
            "kube-proxy.json": proxy,
        }
        for name, text in texts.items():
            path = self._paths.node / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self._places.registries.mkdir(exist_ok=True)

    def _start_runtime(self) -> None:
        configuration = self._paths.node / "containerd.toml"
        self._start("containerd", [processes.find_program("containerd"), "--config", str(configuration)])

    def _start_control_plane(self, ranges: Subnets) -> None:
        find = self._tools.find
        data = self._paths.node / "etcd"
        self._start("etcd", commands.render_etcd(find("etcd"), data=data, client_port=ETCD_PORT, peer_port=2380))
        server = commands.render_api_server(
            find("kube-apiserver"),
            credentials=self._credentials,
            etcd_port=ETCD_PORT,
            port=API_PORT,
            services=str(ranges.services),
            more={
                "advertise-address": ranges.node_ip,
                "allow-privileged": "true",
                "authorization-mode": "Node,RBAC",
                "enable-admission-plugins": "NodeRestriction",
                "kubelet-preferred-address-types": "InternalIP",
                "kubelet-certificate-authority": self._credentials.authority,
                "kubelet-client-certificate": self._admin.certificate,
                "kubelet-client-key": self._admin.key,
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
        find = self._tools.find
        manager = commands.render_controller_manager(
            find("kube-controller-manager"),
            credentials=self._credentials,
            kubeconfig=self._kubeconfig("kube-controller-manager"),
        )
        self._start("kube-controller-manager", manager)
        scheduler = commands.render_scheduler(find("kube-scheduler"), kubeconfig=self._kubeconfig("kube-scheduler"))
        self._start("kube-scheduler", scheduler)
        kubelet = {
            "config": self._paths.node / "kubelet.json",
            "kubeconfig": self._kubeconfig("kubelet"),
            "hostname-override": configs.NODE_NAME,
            "node-ip": ranges.node_ip,
            "root-dir": self._paths.node / "kubelet",
            "cert-dir": self._paths.node / "kubelet" / "pki",
            "tls-cert-file": self._kubelet_serving.certificate,
            "tls-private-key-file": self._kubelet_serving.key,
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
