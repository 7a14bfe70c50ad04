"""Address ranges of one cluster, chosen among those that this machine does not use. Pure.

Called by network and node.
"""

import dataclasses
import ipaddress
import json
from collections.abc import Iterable

from tests.cluster.errors import ClusterError

# Private ranges (RFC 1918), because clients treat those as a local network; the upper half of 10/8 is rarely used.
CANDIDATES = tuple(ipaddress.IPv4Network(f"10.{number}.0.0/16") for number in range(200, 255))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Subnets:
    """The parts of one /16: pods, services, and the link between host and node."""

    whole: ipaddress.IPv4Network

    @property
    def pods(self) -> ipaddress.IPv4Network:
        """Addresses of pods."""
        return ipaddress.IPv4Network((int(self.whole.network_address), 20))

    @property
    def services(self) -> ipaddress.IPv4Network:
        """ClusterIPs; the API server takes the first one."""
        return ipaddress.IPv4Network((int(self.whole.network_address) + (128 << 8), 20))

    @property
    def api_service_ip(self) -> str:
        """ClusterIP of the Service `kubernetes`."""
        return str(self.services[1])

    @property
    def dns_service_ip(self) -> str:
        """ClusterIP of the Service `kube-dns`."""
        return str(self.services[10])

    @property
    def link(self) -> ipaddress.IPv4Network:
        """The veth pair: the first address is the host's, the second the node's."""
        return ipaddress.IPv4Network((int(self.whole.network_address) + (255 << 8), 30))

    @property
    def host_ip(self) -> str:
        """The host as pods see it."""
        return str(self.link[1])

    @property
    def node_ip(self) -> str:
        """The node: API server, kubelet, and the way to pods and services."""
        return str(self.link[2])


def choose_subnets(taken: Iterable[ipaddress.IPv4Network], *, seed: int) -> Subnets:
    """Choose a range that meets none of those taken; `seed` spreads checkouts over the candidates."""
    used = list(taken)
    turn = seed % len(CANDIDATES)
    for candidate in CANDIDATES[turn:] + CANDIDATES[:turn]:
        if not any(candidate.overlaps(network) for network in used):
            return Subnets(whole=candidate)
    raise ClusterError(
        "no free address range between 10.200.0.0/16 and 10.254.0.0/16",
        where="`ip route show table all`",
        todo="remove the routes of clusters you no longer use",
    )


def parse_routes(text: str) -> list[ipaddress.IPv4Network]:
    """Destinations from `ip -json -4 route show table all`, without the default route."""
    networks = []
    for route in json.loads(text or "[]"):
        destination = str(route.get("dst", "default"))
        if destination not in {"default", "0.0.0.0/0"}:
            networks.append(ipaddress.IPv4Network(destination, strict=False))
    return networks


def parse_nameservers(resolv_conf: str) -> list[ipaddress.IPv4Network]:
    """Addresses of the machine's resolvers: they may be in a range that only the default route leads to."""
    networks = []
    for line in resolv_conf.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver" and ":" not in words[1]:
            networks.append(ipaddress.IPv4Network(words[1]))
    return networks
