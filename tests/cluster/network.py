"""The node's network: a namespace of its own, a veth pair to the host, and routes to pods and services.

Everything of the cluster is inside the namespace, its firewall rules too. The host gets one interface, two routes and
one rule that lets packets from that interface in. The host is not made a router: pods reach the host and each other,
and nothing beyond, so tests cannot come to depend on the internet. Called by node.
"""

import contextlib
import pathlib
import re

from tests.cluster import processes, subnets
from tests.cluster.errors import ClusterError
from tests.cluster.paths import Paths

NAMESPACES = pathlib.Path("/run/netns")
INNER = "node0"
SYSCTLS = {
    "net/ipv4/ip_forward": "1",
    # Without it kube-proxy's rules do not see packets between two pods on the bridge.
    "net/bridge/bridge-nf-call-iptables": "1",
}


def namespace_file(paths: Paths) -> pathlib.Path:
    """File that names the node's network namespace."""
    return NAMESPACES / paths.name


def observe_free_subnets(paths: Paths) -> subnets.Subnets:
    """Choose address ranges that nothing on this machine uses."""
    routes = subnets.parse_routes(processes.run([_ip(), "-json", "-4", "route", "show", "table", "all"]))
    resolv_conf = ""
    with contextlib.suppress(OSError):
        resolv_conf = pathlib.Path("/etc/resolv.conf").read_text(encoding="utf-8")
    taken = routes + subnets.parse_nameservers(resolv_conf)
    return subnets.choose_subnets(taken, seed=int(paths.identity, 16))


def create(paths: Paths, ranges: subnets.Subnets) -> None:
    """Create namespace, veth pair, routes and firewall rule; the caller removed what was left of an earlier one."""
    ip, outer, inner = _ip(), paths.interface, [_ip(), "-netns", paths.name]
    processes.run([ip, "netns", "add", paths.name])
    processes.run([ip, "link", "add", outer, "type", "veth", "peer", "name", INNER, "netns", paths.name])
    processes.run([ip, "address", "add", f"{ranges.host_ip}/{ranges.link.prefixlen}", "dev", outer])
    processes.run([ip, "link", "set", outer, "up"])
    processes.run([*inner, "address", "add", f"{ranges.node_ip}/{ranges.link.prefixlen}", "dev", INNER])
    processes.run([*inner, "link", "set", INNER, "up"])
    processes.run([*inner, "link", "set", "lo", "up"])
    # Components refuse to start without a default route, and it is how replies to the host find their way.
    processes.run([*inner, "route", "add", "default", "via", ranges.host_ip])
    for network in (ranges.pods, ranges.services):
        processes.run([ip, "route", "add", str(network), "via", ranges.node_ip, "dev", outer])
    for name, value in SYSCTLS.items():
        _write_sysctl(paths, name, value)
    processes.run([_iptables(), "-w", "10", "-I", "INPUT", *_rule(paths)])


def remove(paths: Paths) -> None:
    """Remove whatever of it is there; the node's processes have ended."""
    while _rule_exists(paths):
        processes.run([_iptables(), "-w", "10", "-D", "INPUT", *_rule(paths)])
    if pathlib.Path(f"/sys/class/net/{paths.interface}").exists():
        processes.run([_ip(), "link", "delete", paths.interface])
    if namespace_file(paths).exists():
        processes.run([_ip(), "netns", "delete", paths.name])


def is_present(paths: Paths) -> bool:
    """Whether anything of the network is there."""
    interface = pathlib.Path(f"/sys/class/net/{paths.interface}")
    return interface.exists() or namespace_file(paths).exists() or _rule_exists(paths)


def _rule(paths: Paths) -> list[str]:
    comment = ["-m", "comment", "--comment", paths.name]
    return ["-i", paths.interface, *comment, "-j", "ACCEPT"]


def _rule_exists(paths: Paths) -> bool:
    listed = processes.run([_iptables(), "-w", "10", "-S", "INPUT"])
    return re.search(rf"--comment \"?{paths.name}\"? ", listed) is not None


def _write_sysctl(paths: Paths, name: str, value: str) -> None:
    enter = [processes.find_program("nsenter"), f"--net={namespace_file(paths)}"]
    try:
        processes.run([*enter, "/bin/sh", "-c", f"echo {value} > /proc/sys/{name}"])
    except ClusterError as error:
        todo = "load the module br_netfilter" if "bridge" in name else "run this as root on the machine itself"
        raise ClusterError(f"cannot set {name}", where=f"namespace {paths.name}", todo=todo) from error


def _ip() -> str:
    return processes.find_program("ip")


def _iptables() -> str:
    return processes.find_program("iptables")
