"""A real API server without a node, for integration tests: etcd, kube-apiserver and chosen controllers.

    with ControlPlane() as control_plane:
        client = load(control_plane.kubeconfig)

Everything listens on loopback with free ports and lives in a temporary folder. Ready in about three seconds. The
kernel kills every process when the thread that entered the block ends, so nothing survives a killed test run; enter
it from a thread that lives as long as the tests do (pytest's own). Needs no root. It knows nothing of the node.
"""

import pathlib
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from tests.cluster import apiserver, commands, kubeconfig, processes, toolchain
from tests.cluster.certificates import Authority
from tests.cluster.errors import ClusterError
from tests.cluster.paths import find_paths

# What every test of an operator relies on: owner references, namespaces that end, service accounts.
CONTROLLERS = ("garbage-collector-controller", "namespace-controller", "serviceaccount-controller")
# Added by tests that follow a Deployment down to Pods, which then stay Pending.
WORKLOADS = ("deployment-controller", "replicaset-controller")
# Another program may take a free port before ours does; then everything is started once more with other ports.
ATTEMPTS = 3


class ControlPlane:
    """A context manager; `kubeconfig` and `server` are there inside the block."""

    def __init__(self, controllers: Sequence[str] = CONTROLLERS, *, deadline: float = 60.0) -> None:
        self._controllers = tuple(controllers)
        self._deadline = deadline
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._folder = pathlib.Path()
        self.server = ""

    @property
    def kubeconfig(self) -> pathlib.Path:
        """Kubeconfig of a cluster administrator."""
        return self._folder / "kubeconfig"

    def log(self, program: str) -> str:
        """What a program wrote so far, such as `kube-apiserver`."""
        return self._log(program).read_text(encoding="utf-8", errors="replace")

    def __enter__(self) -> Self:
        for attempt in range(ATTEMPTS):
            self._folder = pathlib.Path(tempfile.mkdtemp(prefix="wasmoor-control-plane-"))
            try:
                self._start()
            except BaseException as error:
                self._stop()
                if attempt + 1 < ATTEMPTS and isinstance(error, ClusterError) and "address already" in error.where:
                    continue
                raise
            break
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _start(self) -> None:
        tools = toolchain.find_tools(find_paths())
        etcd_port, peer_port, port = find_free_ports(3)
        self.server = f"https://127.0.0.1:{port}"
        authority = Authority(self._folder / "certificates")
        credentials = commands.Credentials(
            authority=authority.root.certificate,
            serving=authority.issue_server("apiserver", user="kube-apiserver", alternatives=["IP:127.0.0.1"]),
            signing=authority.make_signing_key("service-account"),
        )
        admin = authority.issue_client("admin", user="admin", group="system:masters")
        kubeconfig.write_kubeconfig(
            self.kubeconfig,
            name="wasmoor-control-plane",
            server=self.server,
            authority=credentials.authority,
            user="admin",
            client=admin,
        )
        data = self._folder / "etcd"
        etcd = commands.render_etcd(tools.find("etcd"), data=data, client_port=etcd_port, peer_port=peer_port)
        self._run("etcd", etcd)
        server = commands.render_api_server(
            tools.find("kube-apiserver"),
            credentials=credentials,
            etcd_port=etcd_port,
            port=port,
            services="10.96.0.0/16",
            more={
                "bind-address": "127.0.0.1",
                "advertise-address": "127.0.0.1",
                "endpoint-reconciler-type": "none",
                "authorization-mode": "RBAC",
                # No pod runs here, so none is refused for a service account that is still being made.
                "disable-admission-plugins": "ServiceAccount",
            },
        )
        self._run("kube-apiserver", server)
        asked = apiserver.ApiServer(self.server, authority=credentials.authority, client=admin)
        self._wait(asked, "/readyz")
        if self._controllers:
            self._start_controllers(tools, credentials)
        # The server is ready a moment before this namespace is there, and a create before that is a 404.
        self._wait(asked, "/api/v1/namespaces/default")
        if "serviceaccount-controller" in self._controllers:
            self._wait(asked, "/api/v1/namespaces/default/serviceaccounts/default")

    def _start_controllers(self, tools: toolchain.Tools, credentials: commands.Credentials) -> None:
        command = commands.render_controller_manager(
            tools.find("kube-controller-manager"),
            credentials=credentials,
            kubeconfig=self.kubeconfig,
            controllers=self._controllers,
        )
        self._run("kube-controller-manager", command)

    def _wait(self, server: apiserver.ApiServer, path: str) -> None:
        apiserver.wait_for(
            f"a good answer to {path}", lambda: server.exists(path), deadline=self._deadline, explain=self._explain
        )

    def _explain(self) -> str:
        """Say how far it is; a program that ended makes waiting vain."""
        for program, started in self._running.items():
            if started.poll() is not None:
                last = processes.read_last_line(self._log(program))
                raise ClusterError(f"{program} ended with {started.returncode}", where=last, todo="read its message")
        return processes.read_last_line(self._log("kube-apiserver"))

    def _run(self, program: str, command: Sequence[str]) -> None:
        self._running[program] = processes.start(command, log=self._log(program), dies_with_parent=True)

    def _log(self, program: str) -> pathlib.Path:
        return self._folder / "logs" / f"{program}.log"

    def _stop(self) -> None:
        # Clients before their servers: an API server whose etcd has gone takes minutes to end. Nothing here is worth
        # an orderly end, so none is waited for.
        for started in reversed(self._running.values()):
            started.kill()
            started.wait()
        self._running.clear()
        shutil.rmtree(self._folder, ignore_errors=True)


def find_free_ports(count: int) -> list[int]:
    """Ports of loopback that nothing listens on at this moment."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()
