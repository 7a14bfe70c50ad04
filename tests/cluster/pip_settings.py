"""The machine's pip settings, for use inside a build: which index, which certificates. Called by images.

Threat: an index URL may hold a password. Settings are therefore mounted while the build runs, never copied, and the
file that is mounted can be read by its owner alone and is removed afterwards.
"""

import configparser
import os
import pathlib
from collections.abc import Iterable, Mapping

CERTIFICATES = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
SETTINGS = (
    "index-url",
    "extra-index-url",
    "find-links",
    "no-index",
    "proxy",
    "retries",
    "timeout",
    "default-timeout",
    "trusted-host",
    "cert",
)


def list_files(environment: Mapping[str, str]) -> list[pathlib.Path]:
    """Pip's configuration files, the strongest last (pip's documentation, "Configuration files")."""
    home = pathlib.Path(environment.get("HOME") or "/root")
    user = pathlib.Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    chosen = environment.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return []
    files = [pathlib.Path("/etc/pip.conf"), home / ".pip" / "pip.conf", user]
    return [*files, pathlib.Path(chosen)] if chosen else files


def merge_settings(texts: Iterable[str], environment: Mapping[str, str]) -> dict[str, str]:
    """Settings from configuration files, then from PIP_ variables, which win. Only those that a build needs."""
    merged: dict[str, str] = {}
    for text in texts:
        parser = configparser.RawConfigParser()
        parser.read_string(text)
        for section in ("global", "install"):
            if parser.has_section(section):
                merged.update(parser.items(section))
    for name in SETTINGS:
        if value := environment.get("PIP_" + name.upper().replace("-", "_")):
            merged[name] = value
    return {name: value for name, value in merged.items() if name in SETTINGS}


def render_configuration(settings: Mapping[str, str]) -> str:
    """A pip.conf for inside the build, where certificates are always at the usual place."""
    inside = {**settings, "cert": str(CERTIFICATES)}
    return "[global]\n" + "".join(f"{name} = {_indent(value)}\n" for name, value in sorted(inside.items()))


def list_volumes(settings: Mapping[str, str], configuration: pathlib.Path) -> list[str]:
    """Read-only mounts of a build, as `SOURCE:TARGET:ro`: pip.conf, certificates, folders of local packages."""
    certificates = settings.get("cert") or str(CERTIFICATES)
    links = [
        link for link in settings.get("find-links", "").split() if link.startswith("/") and pathlib.Path(link).is_dir()
    ]
    volumes = {str(CERTIFICATES): certificates, "/etc/pip.conf": str(configuration)} | {link: link for link in links}
    return [f"{source}:{target}:ro" for target, source in volumes.items() if pathlib.Path(source).exists()]


def _indent(value: str) -> str:
    return "\n    ".join(value.splitlines())
