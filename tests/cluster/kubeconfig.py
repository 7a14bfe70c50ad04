"""Kubeconfig files with everything inside them, so that a copy works anywhere.

Pure rendering and one writer. Called by node and control_plane.
"""

import base64
import os
import pathlib

from tests.cluster.certificates import Pair

TEMPLATE = """\
apiVersion: v1
kind: Config
clusters:
- name: {name}
  cluster:
    server: {server}
    certificate-authority-data: {authority}
users:
- name: {user}
  user:
    client-certificate-data: {certificate}
    client-key-data: {key}
contexts:
- name: {name}
  context:
    cluster: {name}
    user: {user}
current-context: {name}
"""


def render_kubeconfig(*, name: str, server: str, authority: bytes, user: str, certificate: bytes, key: bytes) -> str:
    """Render a kubeconfig with one context; the values in bytes are PEM texts."""
    return TEMPLATE.format(
        name=name,
        server=server,
        user=user,
        authority=base64.b64encode(authority).decode("ascii"),
        certificate=base64.b64encode(certificate).decode("ascii"),
        key=base64.b64encode(key).decode("ascii"),
    )


def write_kubeconfig(
    path: pathlib.Path, *, name: str, server: str, authority: pathlib.Path, user: str, client: Pair
) -> pathlib.Path:
    """Write a kubeconfig that only its owner can read, and never half of one."""
    text = render_kubeconfig(
        name=name,
        server=server,
        authority=authority.read_bytes(),
        user=user,
        certificate=client.certificate.read_bytes(),
        key=client.key.read_bytes(),
    )
    write_private(path, text)
    return path


def write_private(path: pathlib.Path, text: str) -> None:
    """Write a file with mode 0600 and put it in place in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)
