"""The node of this checkout: up, down, what runs, and how to reach it. Called by `__main__`, images and tests.

    endpoints = node.endpoints()
    endpoints.kubeconfig, endpoints.registry.host, endpoints.registry.pods

Where CONTEXT names a cluster, nothing is started or stopped: that cluster is used.
"""

import dataclasses
import os
import pathlib
import shutil

from tests.cluster import (
    apiserver,
    bringup,
    install,
    kubeconfig,
    locks,
    processes,
    registry,
    state,
    teardown,
    toolchain,
)
from tests.cluster.certificates import Pair
from tests.cluster.errors import ClusterError
from tests.cluster.paths import Paths, find_paths, foreign_context
from tests.cluster.progress import Progress

# Seconds that a node which was Ready may be not Ready before it is replaced, with everything in it.
PATIENCE = 30.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """How to reach the cluster and the registry; None for what is not there."""

    kubeconfig: pathlib.Path | None
    registry: registry.Endpoints | None


def endpoints(paths: Paths | None = None) -> Endpoints:
    """Say where the cluster's kubeconfig and the registry are."""
    known = paths or find_paths()
    reachable = known.kubeconfig.is_file()
    return Endpoints(kubeconfig=known.kubeconfig if reachable else None, registry=registry.endpoints(known))


def up(paths: Paths, progress: Progress) -> None:
    """Start the node, or reuse it when it is healthy; then the kubeconfig is in place and the node is Ready."""
    if context := foreign_context():
        use_foreign(paths, context, progress)
        return
    require_root("up")
    install.install_all(paths, progress)
    tools = toolchain.find_tools(paths)
    key = "+".join(sorted(build.folder.name for build in tools.all()))
    with locks.hold(paths.lock):
        if is_healthy(paths, key):
            progress.say("the node is up already")
        else:
            start(paths, tools, key, progress)
        publish_kubeconfig(paths)
        registry.follow_node(paths, progress)
    progress.say(f"kubeconfig {paths.kubeconfig}")


def start(paths: Paths, tools: toolchain.Tools, key: str, progress: Progress) -> None:
    """Start a new node; when that fails, nothing of it stays but its logs."""
    if teardown.is_present(paths):
        progress.say("removing what is left of an earlier node")
        teardown.tear_down(paths, progress)
    if paths.logs.exists():
        shutil.rmtree(paths.logs)
    try:
        bringup.bring_up(paths, tools, key=key, progress=progress)
    except BaseException:
        progress.say(f"failed; removing it (logs stay in {paths.logs})")
        teardown.tear_down(paths, progress)
        raise


def down(paths: Paths, progress: Progress) -> None:
    """Stop the node and the registry and remove all their state; nothing to do is no error."""
    if context := foreign_context():
        paths.kubeconfig.unlink(missing_ok=True)
        progress.say(f"cluster {context} is not ours: left as it is")
        return
    with locks.hold(paths.lock):
        registry.stop(paths)
        if paths.registry.exists():
            shutil.rmtree(paths.registry)
        if teardown.is_present(paths):
            require_root("down")
            teardown.tear_down(paths, progress)
            progress.say("the node is down")
        else:
            progress.say("nothing runs")
        paths.kubeconfig.unlink(missing_ok=True)


def status(paths: Paths) -> list[str]:
    """Lines that say what runs and where."""
    if context := foreign_context():
        return [f"cluster: {context} (not ours)", f"kubeconfig: {paths.kubeconfig}", *registry.status(paths)]
    known = state.read_state(paths.node)
    if known is None:
        left = " (parts of an interrupted one are there: run `down`)" if teardown.is_present(paths) else ""
        return [f"node: down{left}", *registry.status(paths)]
    lines = [f"node: {'up' if known.complete else 'incomplete'}, {known.ranges.node_ip}"]
    for name, process in known.processes.items():
        lines.append(f"  {name}: {f'pid {process.pid}' if processes.is_running(process) else 'ended'}")
    lines += [f"pods: {known.ranges.pods}", f"services: {known.ranges.services}", f"host: {known.ranges.host_ip}"]
    return [*lines, f"kubeconfig: {paths.kubeconfig}", f"logs: {paths.logs}", *registry.status(paths)]


def is_up(paths: Paths) -> bool:
    """Whether a complete node was started here and its runtime still runs."""
    known = state.read_state(paths.node)
    return known is not None and known.complete and processes.is_running(known.processes["containerd"])


def is_healthy(paths: Paths, key: str) -> bool:
    """Whether the node can be used as it is: same programs, all running, node Ready (a busy one is given a moment)."""
    known = state.read_state(paths.node)
    if known is None or not known.complete or known.key != key:
        return False
    if not all(processes.is_running(process) for process in known.processes.values()):
        return False
    certificates = paths.node / "certificates"
    admin = Pair(certificate=certificates / "admin.crt", key=certificates / "admin.key")
    server = f"https://{known.ranges.node_ip}:{bringup.API_PORT}"
    asked = apiserver.ApiServer(server, authority=certificates / "ca.crt", client=admin)
    try:
        apiserver.wait_for("the node's readiness", asked.is_node_ready, deadline=PATIENCE, explain=lambda: server)
    except ClusterError:
        return False
    return True


def publish_kubeconfig(paths: Paths) -> None:
    """Put the administrator's kubeconfig where people and tests look for it."""
    admin = paths.node / "kubeconfigs" / "admin"
    kubeconfig.write_private(paths.kubeconfig, admin.read_text(encoding="utf-8"))


def use_foreign(paths: Paths, context: str, progress: Progress) -> None:
    """Write the chosen context alone to the usual place, so that tests know only that file."""
    kubectl = shutil.which("kubectl") or str(toolchain.find_tools(paths).find("kubectl"))
    chosen = os.environ.get("KUBECONFIG") or str(pathlib.Path.home() / ".kube" / "config")
    view = ["config", "view", "--minify", "--flatten", "--raw", f"--context={context}"]
    kubeconfig.write_private(paths.kubeconfig, processes.run([kubectl, *view, f"--kubeconfig={chosen}"]))
    progress.say(f"using cluster {context}; nothing is started (kubeconfig {paths.kubeconfig})")


def require_root(command: str) -> None:
    """Namespaces, mounts and cgroups need root."""
    if os.geteuid() != 0:
        todo = "run it as root, or name a cluster with CONTEXT="
        raise ClusterError(f"`{command}` needs root", where="this user", todo=todo)
