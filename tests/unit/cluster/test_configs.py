"""The node's configuration files, read back by what reads them."""

import ipaddress
import json
import pathlib
import tomllib

from tests.cluster import configs, registry, subnets

RANGES = subnets.Subnets(whole=ipaddress.IPv4Network("10.207.0.0/16"))
PLACES = configs.Places(
    node=pathlib.Path("/cache/node"),
    run=pathlib.Path("/run/wasmoor/1"),
    socket=pathlib.Path("/run/wasmoor/1/containerd.sock"),
    plugins=pathlib.Path("/usr/lib/cni"),
    cgroup="wasmoor-1",
)


def test_containerd_keeps_everything_in_the_node_s_own_folders() -> None:
    document = tomllib.loads(configs.render_containerd(PLACES))
    cri = document["plugins"]["io.containerd.grpc.v1.cri"]
    assert document["root"].startswith("/cache/node/")
    assert document["state"].startswith("/run/wasmoor/1/")
    assert document["grpc"]["address"] == "/run/wasmoor/1/containerd.sock"
    assert cri["netns_mounts_under_state_dir"] is True
    assert cri["cni"]["conf_dir"].startswith("/cache/node/")


def test_containerd_uses_the_pause_image_that_is_imported() -> None:
    cri = tomllib.loads(configs.render_containerd(PLACES))["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["sandbox_image"] == configs.PAUSE_IMAGE


def test_kubelet_puts_pods_into_the_cluster_s_cgroup() -> None:
    document = json.loads(configs.render_kubelet(PLACES, RANGES, authority=pathlib.Path("/ca.crt")))
    assert document["cgroupRoot"] == "/wasmoor-1"
    assert document["cgroupDriver"] == "cgroupfs"
    assert document["failCgroupV1"] is False


def test_kubelet_lets_nobody_in_without_a_certificate() -> None:
    document = json.loads(configs.render_kubelet(PLACES, RANGES, authority=pathlib.Path("/ca.crt")))
    assert document["authentication"]["anonymous"]["enabled"] is False
    assert document["authorization"]["mode"] == "Webhook"
    assert document["readOnlyPort"] == 0


def test_kubelet_never_collects_images() -> None:
    document = json.loads(configs.render_kubelet(PLACES, RANGES, authority=pathlib.Path("/ca.crt")))
    assert document["imageGCHighThresholdPercent"] == 100


def test_pods_get_addresses_of_the_pods_range() -> None:
    bridge, portmap = json.loads(configs.render_network(PLACES, RANGES))["plugins"]
    assert bridge["ipam"]["ranges"] == [[{"subnet": "10.207.0.0/20"}]]
    assert portmap["capabilities"] == {"portMappings": True}


def test_the_name_service_has_the_address_that_pods_are_told() -> None:
    kubelet = json.loads(configs.render_kubelet(PLACES, RANGES, authority=pathlib.Path("/ca.crt")))
    assert kubelet["clusterDNS"] == [configs.render_dns_service(RANGES)["spec"]["clusterIP"]]


def test_the_proxy_tells_pods_from_others_by_the_pods_range() -> None:
    document = json.loads(configs.render_proxy(kubeconfig=pathlib.Path("/k"), ranges=RANGES))
    assert document["clusterCIDR"] == "10.207.0.0/20"
    assert document["conntrack"] == {"maxPerCore": 0}


def test_the_runtime_speaks_plain_http_to_the_registry() -> None:
    document = tomllib.loads(configs.render_registry_hosts("10.207.255.1:5000"))
    assert list(document["host"]) == ["http://10.207.255.1:5000"]


def test_both_registry_processes_share_storage_and_secret() -> None:
    storage = pathlib.Path("/s")
    one, other = (
        json.loads(registry.render_configuration(storage, address, "x")) for address in ("127.0.0.1:1", "10.0.0.1:1")
    )
    assert one["storage"] == other["storage"]
    assert one["http"]["secret"] == other["http"]["secret"]
    assert one["http"]["addr"] != other["http"]["addr"]
