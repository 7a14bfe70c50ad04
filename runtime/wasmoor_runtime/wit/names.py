"""Which exports are tools, and how tools are called.

Pure. A tool name must suit every large client: `^[A-Za-z0-9_-]{1,64}$`. Functions of the world keep their name;
functions of an exported interface carry the interface's short name, so that `acme:clock/api@1.0.0#get-time` becomes
`api_get-time`.
"""

from __future__ import annotations

import re

TOOL_NAME = re.compile(r"^[A-Za-z0-9_-]{1,64}$")

# componentize-py exports an interface of this name for its own start-up; it is nothing to call.
TOOLCHAIN_INTERFACE = "exports"


def function_id(interface: str | None, function: str) -> str:
    """Return how a function is named between front and workers: `get-time` or `acme:clock/api@1.0.0#get-time`."""
    return function if interface is None else f"{interface}#{function}"


def is_tool_interface(interface: str) -> bool:
    """True when the functions of this exported interface may become tools."""
    return interface != TOOLCHAIN_INTERFACE and not interface.startswith("wasi:")


def tool_name(identity: str) -> str:
    """Return the tool's name for a function's id; it may still be unfit, see `find_unfit`."""
    interface, separator, function = identity.rpartition("#")
    if not separator:
        return identity
    short = interface.rpartition("/")[2].partition("@")[0]
    return f"{short}_{function}"


def find_unfit(name: str) -> str:
    """Return why `name` cannot be a tool's name, or an empty string when it can."""
    if name.startswith("[") or "_[" in name:
        return "it belongs to a resource, and resources have no JSON form"
    if not TOOL_NAME.match(name):
        return f"its tool name {name!r} is longer than 64 characters or holds others than letters, digits, _ and -"
    return ""
