"""How the runtime starts processes of its own, and what those do first.

Threat: a guest that breaks out of its sandbox finds itself in a child process. That process must hold nothing: its
environment is not the pod's (which may carry secrets), it inherits no files but those named, it cannot gain
privileges, and it never outlives the one that started it. The front uses the first half; `enter_child` is the child's.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Iterable

# What Python needs to find itself and to speak UTF-8; nothing else of the environment is passed on.
_PASSED_ON = ("PATH", "PYTHONPATH", "PYTHONHOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR")

# https://man7.org/linux/man-pages/man2/prctl.2.html
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38


def child_command(module: str, arguments: Iterable[str]) -> list[str]:
    """Return the command that runs a module of ours in a fresh interpreter.

    The current directory is kept off the module path: whoever can write there must not choose the code.
    """
    return [sys.executable, "-P", "-m", module, *arguments]


def child_environment() -> dict[str, str]:
    """Return the environment of a child."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def enter_child(parent: int) -> None:
    """Tie this process to its parent (a pid), give up new privileges and core dumps.

    Must run in the main thread. The parent may have died before the tie was made, which is why its pid is needed.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _prctl(option: int, value: int) -> None:
    # Unused arguments must be zero and as wide as a register.
    zero = ctypes.c_ulong(0)
    if ctypes.CDLL(None, use_errno=True).prctl(option, ctypes.c_ulong(value), zero, zero, zero) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")
