"""A real OCI registry (Debian's docker-registry 2.8) on plain HTTP, kept on disk.

Two processes over one storage: one on loopback for the host's programs, and while the node is up one on the host's end
of the veth pair, which pods and the node's containerd reach. Called by `__main__`, node, images and tests.
"""

import dataclasses
import http.client
import json
import os
import pathlib
import secrets
import socket
from collections.abc import Mapping

from tests.cluster import apiserver, configs, locks, packages, processes, state
from tests.cluster.errors import ClusterError
from tests.cluster.kubeconfig import write_private
from tests.cluster.paths import Paths, foreign_context
from tests.cluster.progress import Progress

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 5000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """`IP:PORT` of the registry for programs on the host, and for pods while the node is up."""

    host: str
    pods: str | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """One registry process and where it listens."""

    address: str
    process: processes.Process


def up(paths: Paths, progress: Progress) -> Endpoints:
    """Start what does not run yet."""
    with locks.hold(paths.lock):
        serve(paths, "loopback", f"{LOOPBACK}:{choose_port()}", progress)
        follow_node(paths, progress)
    found = endpoints(paths)
    if found is None:
        raise ClusterError("the registry ended", where=str(paths.registry / "loopback.log"), todo="read that log")
    return found


def down(paths: Paths, progress: Progress) -> None:
    """Stop both processes; what was pushed stays until the cluster goes `down`."""
    with locks.hold(paths.lock):
        progress.say("the registry is down" if stop(paths) else "no registry runs")


def stop(paths: Paths) -> bool:
    """Stop both processes and say whether there was one; the caller holds the lock."""
    running = [serving.process for side in ("loopback", "node") if (serving := observe(paths, side))]
    processes.stop(running, deadline=5.0)
    for side in ("loopback", "node"):
        (paths.registry / f"{side}.json").unlink(missing_ok=True)
    return bool(running)


def follow_node(paths: Paths, progress: Progress) -> None:
    """Make the registry, if it runs, reachable from pods; the caller holds the lock."""
    known = state.read_state(paths.node)
    loopback = observe(paths, "loopback")
    if loopback is None or known is None or not known.complete:
        return
    address = f"{known.ranges.host_ip}:{loopback.address.rpartition(':')[2]}"
    settings = paths.node / "registries" / address
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "hosts.toml").write_text(configs.render_registry_hosts(address), encoding="utf-8")
    serve(paths, "node", address, progress)


def endpoints(paths: Paths) -> Endpoints | None:
    """Where the registry is reached; None when it does not run. For a cluster of CONTEXT, REGISTRY names its own."""
    outside = os.environ.get("REGISTRY")
    if outside and foreign_context():
        return Endpoints(host=outside, pods=outside)
    loopback, node = observe(paths, "loopback"), observe(paths, "node")
    if loopback is None:
        return None
    return Endpoints(host=loopback.address, pods=node.address if node else None)


def status(paths: Paths) -> list[str]:
    """Lines that say where the registry is."""
    found = endpoints(paths)
    if found is None:
        return ["registry: down"]
    pods = f"http://{found.pods}" if found.pods else "not reachable (the node is down)"
    return [f"registry: http://{found.host} from this machine, from pods {pods}"]


def serve(paths: Paths, side: str, address: str, progress: Progress) -> None:
    """Start one process unless it runs there already."""
    running = observe(paths, side)
    if running is not None and running.address == address:
        return
    if running is not None:
        processes.stop([running.process], deadline=5.0)
    program = packages.find_registry(paths)
    if program is None:
        raise ClusterError("no registry program", where=str(paths.binaries), todo="run the command `install`")
    require_free(address)
    configuration = paths.registry / f"{side}.yml"
    write_private(configuration, render_configuration(paths.registry / "storage", address, read_secret(paths)))
    log = paths.registry / f"{side}.log"
    process = processes.identify(processes.start([program, "serve", configuration], log=log))
    if process is None:
        raise ClusterError("the registry ended at once", where=str(log), todo="read its last lines")
    serving = {"address": address, "process": dataclasses.asdict(process)}
    write_private(paths.registry / f"{side}.json", json.dumps(serving))

    def explain() -> str:
        if not processes.is_running(process):
            last = processes.read_last_line(log)
            raise ClusterError(f"the registry ended: {last}", where=str(log), todo="read that log")
        return str(log)

    apiserver.wait_for(f"the registry on {address}", lambda: answers(address), deadline=15.0, explain=explain)
    progress.say(f"registry on http://{address}")


def observe(paths: Paths, side: str) -> Serving | None:
    """The process of one side (`loopback` or `node`) if it runs."""
    try:
        serving = parse_serving((paths.registry / f"{side}.json").read_text(encoding="utf-8"))
    except OSError:
        return None
    return serving if serving is not None and processes.is_running(serving.process) else None


def parse_serving(text: str) -> Serving | None:
    """Parse what `serve` wrote; None for anything else."""
    try:
        document = json.loads(text)
        return Serving(address=str(document["address"]), process=processes.Process(**document["process"]))
    except (ValueError, TypeError, KeyError):
        return None


def choose_port(environment: Mapping[str, str] = os.environ) -> int:
    """Port of the registry: WASMOOR_REGISTRY_PORT, or 5000."""
    text = environment.get("WASMOOR_REGISTRY_PORT") or str(DEFAULT_PORT)
    if not text.isdecimal() or not 0 < int(text) < 1 << 16:
        raise ClusterError(f"{text!r} is no port", where="WASMOOR_REGISTRY_PORT", todo="set it to 1 to 65535")
    return int(text)


def require_free(address: str) -> None:
    """Refuse to start where something else listens."""
    host, _, port = address.rpartition(":")
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, int(port)))
        except OSError as error:
            raise ClusterError(
                f"the registry's port is taken: {error.strerror}",
                where=address,
                todo="stop what listens there or choose another port with WASMOOR_REGISTRY_PORT",
            ) from error


def answers(address: str) -> bool:
    """Whether a registry answers there (distribution-spec, end-1)."""
    connection = http.client.HTTPConnection(address, timeout=2)
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def read_secret(paths: Paths) -> str:
    """The secret that both processes sign upload states with; made once."""
    file = paths.registry / "secret"
    if not file.is_file():
        write_private(file, secrets.token_hex(32))
    return file.read_text(encoding="utf-8")


def render_configuration(storage: pathlib.Path, address: str, secret: str) -> str:
    """The registry's configuration; JSON is YAML."""
    document = {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(storage)}, "delete": {"enabled": True}},
        "http": {"addr": address, "secret": secret},
    }
    return json.dumps(document, indent=1) + "\n"
