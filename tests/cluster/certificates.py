"""A certificate authority for one cluster, made by openssl: P-256 keys, valid for a few days.

Threat: the keys give full rights over the cluster, so their folder and files are readable by their owner alone, and
they are made anew for every cluster. Called by node and control_plane.
"""

import dataclasses
import pathlib
from collections.abc import Sequence

from tests.cluster import processes

DAYS = "30"
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A certificate and its private key, as PEM files."""

    certificate: pathlib.Path
    key: pathlib.Path


class Authority:
    """Issues certificates into one folder."""

    def __init__(self, folder: pathlib.Path) -> None:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        self._folder = folder
        self._openssl = processes.find_program("openssl")
        self.root = self._pair("ca")
        self._request(self.root, "/CN=wasmoor-test-ca", ["-addext", "keyUsage=critical,keyCertSign,cRLSign"])

    def issue_client(self, name: str, *, user: str, group: str = "") -> Pair:
        """Issue a certificate that means this user (and group) to the API server."""
        subject = f"/O={group}/CN={user}" if group else f"/CN={user}"
        return self._issue(name, subject, ["extendedKeyUsage=clientAuth"])

    def issue_server(self, name: str, *, user: str, alternatives: Sequence[str]) -> Pair:
        """Issue a serving certificate; `alternatives` are entries such as `IP:10.0.0.1` or `DNS:localhost`."""
        names = "subjectAltName=" + ",".join(alternatives)
        return self._issue(name, f"/CN={user}", ["extendedKeyUsage=serverAuth", names])

    def make_signing_key(self, name: str) -> Pair:
        """Make the key that signs service-account tokens; the certificate's place holds the public key."""
        pair = self._pair(name)
        generate = [self._openssl, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        processes.run([*generate, "-out", pair.key])
        processes.run([self._openssl, "pkey", "-in", pair.key, "-pubout", "-out", pair.certificate])
        pair.key.chmod(0o600)
        return pair

    def _issue(self, name: str, subject: str, extensions: Sequence[str]) -> Pair:
        pair = self._pair(name)
        added: list[str | pathlib.Path] = ["-CA", self.root.certificate, "-CAkey", self.root.key]
        for extension in ["basicConstraints=critical,CA:FALSE", *extensions]:
            added += ["-addext", extension]
        self._request(pair, subject, added)
        return pair

    def _request(self, pair: Pair, subject: str, more: Sequence[str | pathlib.Path]) -> None:
        command: list[str | pathlib.Path] = [self._openssl, "req", "-x509", *NEW_KEY, "-days", DAYS, "-subj", subject]
        processes.run([*command, "-keyout", pair.key, "-out", pair.certificate, *more])
        pair.key.chmod(0o600)

    def _pair(self, name: str) -> Pair:
        return Pair(certificate=self._folder / f"{name}.crt", key=self._folder / f"{name}.key")
