"""A token service for a real registry: anybody may pull, ALI may push too.

https://distribution.github.io/distribution/spec/auth/jwt/
"""

import base64
import json
import pathlib
import time
import urllib.parse
import uuid
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization

from tests.integration.sources import certificates, misbehaving

ISSUER, SERVICE = "tests", "registry"
ALI_BASIC = "Basic " + base64.b64encode(b"ali:open sesame").decode()


class TokenService:
    """Issues tokens at `/token` of a server, and says how a registry is told to ask for them."""

    def __init__(self, server: misbehaving.Server, folder: pathlib.Path) -> None:
        self._key, self._certificate = certificates.make_certificate()
        self._bundle = folder / "tokens.pem"
        self._bundle.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))
        self._realm = f"http://{server.address}/token"
        server.routes["GET", "/token"] = self.issue

    @property
    def authentication(self) -> dict[str, Any]:
        """The `auth` of a registry's configuration."""
        bundle = str(self._bundle)
        return {"token": {"realm": self._realm, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": bundle}}

    def issue(self, request: misbehaving.Request) -> None:
        """Answer with a token for what is asked and may be had."""
        known = request.headers.get("Authorization")
        if known not in {None, ALI_BASIC}:
            request.answer(401)
            return
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(request.path).query)
        kind, name, actions = query["scope"][0].split(":")
        allowed = [action for action in actions.split(",") if known or action == "pull"]
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": "somebody",
            "aud": SERVICE,
            "iat": now,
            "nbf": now - 60,
            "exp": now + 60,
            "jti": str(uuid.uuid4()),
            "access": [{"type": kind, "name": name, "actions": allowed}],
        }
        der = base64.b64encode(self._certificate.public_bytes(serialization.Encoding.DER)).decode()
        token = jwt.encode(claims, self._key, algorithm="ES256", headers={"x5c": [der]})
        request.answer(200, json.dumps({"token": token}).encode())
