"""The choice of address ranges: never one that the machine uses."""

import ipaddress
import json

import pytest

from tests.cluster import errors, subnets


def networks(*texts: str) -> list[ipaddress.IPv4Network]:
    return [ipaddress.IPv4Network(text) for text in texts]


def test_the_seed_spreads_checkouts_over_the_candidates() -> None:
    assert subnets.choose_subnets([], seed=0).whole != subnets.choose_subnets([], seed=1).whole


def test_a_range_that_meets_a_route_is_not_chosen() -> None:
    first = subnets.choose_subnets([], seed=3).whole
    part_of_it = ipaddress.IPv4Network((int(first.network_address) + 7, 32))
    assert not subnets.choose_subnets([part_of_it], seed=3).whole.overlaps(first)


def test_a_route_to_all_private_addresses_leaves_no_choice() -> None:
    with pytest.raises(errors.ClusterError, match="no free address range"):
        subnets.choose_subnets(networks("10.0.0.0/8"), seed=5)


def test_the_choice_begins_again_after_the_last_candidate() -> None:
    last = len(subnets.CANDIDATES) - 1
    taken = [subnets.CANDIDATES[last]]
    assert subnets.choose_subnets(taken, seed=last).whole == subnets.CANDIDATES[0]


def test_the_parts_of_a_range_do_not_meet_each_other() -> None:
    ranges = subnets.choose_subnets([], seed=0)
    parts = [ranges.pods, ranges.services, ranges.link]
    assert all(part.subnet_of(ranges.whole) for part in parts)
    assert not any(one.overlaps(other) for one in parts for other in parts if one is not other)


def test_host_and_node_are_the_two_ends_of_the_link() -> None:
    ranges = subnets.Subnets(whole=ipaddress.IPv4Network("10.207.0.0/16"))
    assert (ranges.host_ip, ranges.node_ip) == ("10.207.255.1", "10.207.255.2")
    assert ranges.link.prefixlen == 30


def test_routes_are_read_without_the_default_one() -> None:
    routes = [{"dst": "default"}, {"dst": "10.3.0.0/16", "dev": "x"}, {"dst": "192.0.2.2", "type": "local"}]
    assert subnets.parse_routes(json.dumps(routes)) == networks("10.3.0.0/16", "192.0.2.2/32")


def test_resolvers_count_as_taken_and_comments_and_ipv6_do_not() -> None:
    text = "# nameserver 10.1.1.1\nnameserver 10.255.255.53\nnameserver fd00::1\nsearch example.org\n"
    assert subnets.parse_nameservers(text) == networks("10.255.255.53/32")
