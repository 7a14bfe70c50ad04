"""Reading the machine's cgroup hierarchies."""

import os
import pathlib

from tests.cluster import cgroups

HYBRID = """\
30 25 0:26 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
31 30 0:27 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
32 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
33 30 0:29 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,release_agent=/x,name=systemd
34 30 0:30 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
"""
UNIFIED = "34 30 0:30 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"


def test_hybrid_hierarchies_are_found_by_their_controllers() -> None:
    assert cgroups.parse_hierarchies(HYBRID) == {
        "pids": pathlib.Path("/sys/fs/cgroup/pids"),
        "cpu,cpuacct": pathlib.Path("/sys/fs/cgroup/cpu,cpuacct"),
        "systemd": pathlib.Path("/sys/fs/cgroup/systemd"),
        "unified": pathlib.Path("/sys/fs/cgroup/unified"),
    }


def test_a_hybrid_machine_is_not_unified() -> None:
    assert not cgroups.is_unified(cgroups.parse_hierarchies(HYBRID))


def test_a_machine_with_v2_alone_is_unified() -> None:
    assert cgroups.is_unified(cgroups.parse_hierarchies(UNIFIED))


def test_a_part_of_a_hierarchy_mounted_elsewhere_is_not_the_hierarchy() -> None:
    inner = "31 30 0:27 /container /inner/pids rw,relatime - cgroup cgroup rw,pids\n"
    assert cgroups.parse_hierarchies(inner + HYBRID)["pids"] == pathlib.Path("/sys/fs/cgroup/pids")


def test_a_process_is_no_member_of_a_cluster_that_it_was_not_started_in() -> None:
    assert not cgroups.is_member(os.getpid(), "wasmoor-of-nobody")


def test_a_process_that_is_gone_is_no_member() -> None:
    assert not cgroups.is_member(0, "")
