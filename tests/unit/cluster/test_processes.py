"""Processes are known by more than their pid."""

import dataclasses
import os
import pathlib
import subprocess
import sys
import time

import pytest

from tests.cluster import errors, processes

SLEEP = ["/bin/sleep", "600"]


def test_the_start_time_is_read_past_a_name_with_spaces_and_parentheses() -> None:
    fields = " ".join(["S", *["0"] * 18, "4711", *["0"] * 30])
    assert processes.parse_start_time(f"12 (a) (b c) {fields}") == 4711


def test_a_running_process_is_recognised() -> None:
    me = processes.observe_process(os.getpid())
    assert me is not None
    assert processes.is_running(me)


def test_a_later_process_with_the_same_pid_is_another_one() -> None:
    me = processes.observe_process(os.getpid())
    assert me is not None
    assert not processes.is_running(dataclasses.replace(me, started=me.started - 1))


def test_a_process_of_an_earlier_boot_is_another_one() -> None:
    me = processes.observe_process(os.getpid())
    assert me is not None
    assert not processes.is_running(dataclasses.replace(me, boot="earlier"))


def test_a_stale_record_is_never_signalled(tmp_path: pathlib.Path) -> None:
    started = processes.start(SLEEP, log=tmp_path / "log")
    process = processes.identify(started)
    assert process is not None
    processes.stop([dataclasses.replace(process, started=process.started + 1)], deadline=0.1)
    assert started.poll() is None
    started.kill()
    started.wait()


def test_a_process_that_ignores_the_request_is_killed(tmp_path: pathlib.Path) -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    log = tmp_path / "log"
    started = processes.start([sys.executable, "-c", deaf], log=log)
    process = processes.identify(started)
    assert process is not None
    while "deaf" not in log.read_text(encoding="utf-8"):
        time.sleep(0.01)
    processes.stop([process], deadline=0.1)
    assert started.wait() == -9


def test_a_process_dies_with_the_one_that_started_it(tmp_path: pathlib.Path) -> None:
    script = (
        "import pathlib, sys, time; from tests.cluster import processes;"
        f"p = processes.start({SLEEP!r}, log=pathlib.Path({str(tmp_path / 'log')!r}), dies_with_parent=True);"
        "print(p.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdin is not None
    child = int(parent.stdout.readline())
    # Until `setpriv` has become the program, the kernel was not told yet.
    while "sleep" not in pathlib.Path(f"/proc/{child}/cmdline").read_text(encoding="utf-8").split("\0")[0]:
        time.sleep(0.01)
    process = processes.observe_process(child)
    assert process is not None
    parent.kill()
    parent.communicate()
    assert processes.wait_until_gone([process], deadline=10.0)


def test_the_environment_of_the_caller_does_not_reach_a_daemon(tmp_path: pathlib.Path) -> None:
    log = tmp_path / "log"
    processes.start(["/usr/bin/env"], log=log, path="/bin").wait()
    names = {line.partition("=")[0] for line in log.read_text(encoding="utf-8").splitlines()}
    assert names <= {"PATH", "HOME", "PWD"}


def test_a_failed_command_is_one_line_with_its_last_words() -> None:
    with pytest.raises(errors.ClusterError, match=r"^sh failed: second \(") as caught:
        processes.run(["/bin/sh", "-c", "echo first >&2; echo second >&2; exit 3"])
    assert "\n" not in str(caught.value)


def test_a_program_that_is_missing_is_named() -> None:
    with pytest.raises(errors.ClusterError, match="no-such-program"):
        processes.find_program("no-such-program")
