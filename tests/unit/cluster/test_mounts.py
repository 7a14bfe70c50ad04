"""Which mounts are the node's."""

import pathlib

from tests.cluster import mounts

NODE = pathlib.Path("/cache/node")


def line(point: str) -> str:
    return f"40 1 8:1 / {point} rw,relatime - ext4 /dev/sda rw"


def test_mounts_below_the_folder_come_innermost_first() -> None:
    text = "\n".join([line("/"), line("/cache/node/kubelet"), line("/cache/node/kubelet/pods/1")])
    assert mounts.parse_mounts(text, [NODE]) == [NODE / "kubelet" / "pods" / "1", NODE / "kubelet"]


def test_a_folder_whose_name_only_begins_alike_is_left_alone() -> None:
    assert mounts.parse_mounts(line("/cache/node-of-another/kubelet"), [NODE]) == []


def test_a_space_in_a_path_is_read_back() -> None:
    assert mounts.parse_mounts(line(r"/cache/node/a\040b"), [NODE]) == [NODE / "a b"]
