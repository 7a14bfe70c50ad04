"""What one command leaves for the next."""

import ipaddress
import json
import pathlib

import pytest

from tests.cluster import errors, processes, registry, state, subnets

PROCESS = processes.Process(pid=7, started=11, boot="b")


def test_a_state_is_read_back_as_it_was() -> None:
    ranges = subnets.Subnets(whole=ipaddress.IPv4Network("10.207.0.0/16"))
    known = state.NodeState(ranges=ranges, key="k", processes={"etcd": PROCESS}, complete=True)
    assert state.parse_state(state.render_state(known)) == known


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"network": "x", "key": 1}'])
def test_a_state_that_is_damaged_is_no_state(text: str) -> None:
    assert state.parse_state(text) is None


def test_a_node_without_a_folder_has_no_state(tmp_path: pathlib.Path) -> None:
    assert state.read_state(tmp_path / "nothing") is None


def test_a_written_state_is_private(tmp_path: pathlib.Path) -> None:
    ranges = subnets.Subnets(whole=ipaddress.IPv4Network("10.207.0.0/16"))
    state.write_state(tmp_path, state.NodeState(ranges=ranges, key="k"))
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_registry_s_record_is_read_back() -> None:
    text = json.dumps({"address": "127.0.0.1:5000", "process": {"pid": 7, "started": 11, "boot": "b"}})
    assert registry.parse_serving(text) == registry.Serving(address="127.0.0.1:5000", process=PROCESS)


@pytest.mark.parametrize("text", ["", "[]", '{"address": "x"}', '{"address": "x", "process": {"pid": 1}}'])
def test_a_registry_s_record_that_is_damaged_is_none(text: str) -> None:
    assert registry.parse_serving(text) is None


def test_the_registry_s_port_can_be_chosen() -> None:
    assert registry.choose_port({}) == 5000
    assert registry.choose_port({"WASMOOR_REGISTRY_PORT": "5001"}) == 5001


@pytest.mark.parametrize("text", ["0", "65536", "x", "-1", "5000x"])
def test_a_registry_port_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(errors.ClusterError, match="WASMOOR_REGISTRY_PORT"):
        registry.choose_port({"WASMOOR_REGISTRY_PORT": text})
