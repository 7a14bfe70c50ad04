"""The token and Basic dance for oras, with credentials kept to the registry they belong to.

Threat: a redirect leads to another host, which asks for credentials with a challenge of its own; or a registry behind
TLS names a token service without. Neither gets any. A token is asked for anew at every challenge: one for pulling does
not push.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import oras.auth.token
import requests

from wasmoor_runtime.artifacts import challenges, locations, refusals
from wasmoor_runtime.artifacts.challenges import Challenge
from wasmoor_runtime.artifacts.refusals import Refusal
from wasmoor_runtime.contract.status import Reason

# How token services say that they give none.
_REFUSING = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who asks one registry. Nothing in here is ever shown."""

    username: str = field(repr=False)
    password: str = field(repr=False)


class Authentication(oras.auth.token.TokenAuth):  # type: ignore[misc]  # oras ships no types
    """What oras asks for headers when a registry answers 401 or 403."""

    def __init__(self, base: str, subject: str, credentials: Credentials | None) -> None:
        super().__init__()
        self._base = base
        self._subject = subject
        self._known = credentials is not None
        self._basic_auth: str | None = None
        if credentials is not None:
            self.set_basic_auth(credentials.username, credentials.password)

    def authenticate_request(
        self,
        original: requests.Response,
        headers: dict[str, str],
        refresh: bool = False,  # noqa: FBT001, FBT002 - oras' signature
    ) -> tuple[dict[str, str], bool]:
        """Return headers to send the request again with; `Refusal` when there are none that could help."""
        challenge = challenges.parse_challenge(original.headers.get("WWW-Authenticate", ""))
        asked_by_registry = locations.is_same_origin(original.url, self._base)
        if refresh or original.status_code != HTTPStatus.UNAUTHORIZED or challenge is None or not asked_by_registry:
            raise self._refuse(original)
        if challenge.scheme == "bearer":
            self.token = f"Bearer {self._request_token(challenge, original)}"
        elif self._basic_auth is not None:
            self.token = f"Basic {self._basic_auth}"
        else:
            raise self._refuse(original)
        return {**headers, **self.get_auth_header()}, True

    def get_auth_header(self) -> dict[str, str]:
        """Return what oras adds to every request as soon as `token` is set, here to the header's whole value."""
        return {"Authorization": self.token} if self.token else {}

    def _request_token(self, challenge: Challenge, original: requests.Response) -> str:
        if not locations.may_follow(self._base, challenge.realm):
            text = f"{self._host} names a token service that is not https; let the registry's owner correct that"
            raise Refusal(Reason.PULL_FAILED, text)
        params = {"service": challenge.service, "scope": challenge.scope}
        headers = {"Accept": "application/json"}
        if self._basic_auth is not None:
            headers["Authorization"] = f"Basic {self._basic_auth}"
        answer: requests.Response = self.session.get(
            challenge.realm, params={key: value for key, value in params.items() if value}, headers=headers
        )
        if answer.status_code in _REFUSING:
            raise self._refuse(original)
        if answer.status_code != HTTPStatus.OK:
            raise refusals.refuse_status(answer.status_code, self._subject, f"the token service of {self._host}")
        return self._parse_token(answer)

    def _parse_token(self, answer: requests.Response) -> str:
        try:
            document: Any = answer.json()
            token = document.get("token") or document.get("access_token")
        except (ValueError, AttributeError, RecursionError):
            token = None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise refusals.refuse_silence(self._subject, self._host, "has a token service that gave no token")
        return token

    @property
    def _host(self) -> str:
        return locations.Location(base=self._base, repository="").host

    def _refuse(self, response: requests.Response) -> Refusal:
        code = refusals.parse_error_code(response.content)
        return refusals.refuse_status(response.status_code, self._subject, self._host, code=code, known=self._known)
