"""Why an artifact cannot be had, in one sentence for people; and whether asking again may help.

Pure. `registry`, `sources` and the rest of `artifacts` raise `Refusal`; `sources` turns it into a fault of the runtime
and the operator into one of its own. Nothing that a registry wrote reaches a message, but its status and error code.
"""

from __future__ import annotations

import email.utils
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from wasmoor_runtime.contract.status import Reason

# What a caller waits before it asks again when the registry did not say, in seconds.
DEFAULT_DELAY = 15.0
# A registry that asks for more is asked again after this.
LONGEST_DELAY = 3600.0
# Within one operation: how often a request is sent, the first pause, and the longest pause, in seconds.
ATTEMPTS = 3
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 5.0

# Statuses below 500 that say: not now.
_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
# https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
_ERROR_CODE = re.compile(r"^[A-Z][A-Z_]{2,39}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What kind of server refuses, in the words that messages need."""

    unavailable: Reason
    anonymous: str  # what to do when it wants to know who asks
    absent: str  # what to do when it has no such thing
    strange: str  # what to do when it does not speak as it should
    plain: str  # what to do when it does not speak TLS


REGISTRY = Server(
    unavailable=Reason.REGISTRY_UNAVAILABLE,
    anonymous="allow anonymous pulls of it, and check its name (many registries hide what is missing)",
    absent="push it, or correct the reference",
    strange="check that it is an OCI registry",
    plain="write `insecure: true` if this registry speaks plain HTTP",
)
WEB_SERVER = Server(
    unavailable=Reason.SOURCE_UNAVAILABLE,
    anonymous="let its owner allow anonymous downloads of it",
    absent="put it there, or correct the URL",
    strange="check that the URL names a file",
    plain="write http:// if it speaks plain HTTP",
)


class Refusal(Exception):
    """No artifact: `reason` for machines, `message` for people.

    `waiting` is True when nobody need act and asking again may help; `retry_after` is what the registry asked for.
    """

    def __init__(
        self, reason: Reason, message: str, *, waiting: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message
        self.waiting = waiting
        self.retry_after = retry_after

    @property
    def delay(self) -> float | None:
        """Seconds after which asking again may help; None when somebody must act first."""
        if not self.waiting:
            return None
        return DEFAULT_DELAY if self.retry_after is None else max(self.retry_after, 1.0)


def decide_pause(refusal: Refusal, attempt: int) -> float | None:
    """Return the seconds to pause before the next attempt (the first is 0), or None to give up now."""
    if not refusal.waiting or attempt + 1 >= ATTEMPTS:
        return None
    pause = FIRST_PAUSE * 2**attempt if refusal.retry_after is None else refusal.retry_after
    return pause if pause <= LONGEST_PAUSE else None


def parse_retry_after(text: str, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110, 10.2.3), or None when it cannot be read."""
    if re.fullmatch(r"[0-9]{1,9}", text.strip()):
        return min(float(text), LONGEST_DELAY)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((aware - now).total_seconds(), 0.0), LONGEST_DELAY)


def parse_error_code(body: bytes) -> str:
    """Return the registry's own error code, such as MANIFEST_UNKNOWN; empty when there is none that can be trusted."""
    try:
        code = json.loads(body)["errors"][0]["code"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return ""
    return code if isinstance(code, str) and _ERROR_CODE.match(code) else ""


def refuse_status(
    status: int,
    subject: str,
    host: str,
    *,
    code: str = "",
    known: bool = False,
    retry_after: float | None = None,
    server: Server = REGISTRY,
) -> Refusal:
    """Return what a server's status means for `subject`; `known` is True when credentials were sent."""
    said = f"{host} answered {status}{f' {code}' if code else ''}"
    if status == HTTPStatus.UNAUTHORIZED and not known:
        text = f"{said} for {subject}: it wants credentials and there are none; {server.anonymous}"
        return Refusal(Reason.CREDENTIALS_MISSING, text)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        text = f"{said} for {subject}: access is refused; let its owner grant it"
        return Refusal(Reason.CREDENTIALS_FORBIDDEN, text)
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        text = f"{subject} is not there: {said}; {server.absent}"
        return Refusal(Reason.ARTIFACT_NOT_FOUND, text)
    if status in _LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        text = f"{said} for {subject}; it is asked again later"
        return Refusal(server.unavailable, text, waiting=True, retry_after=retry_after)
    text = f"{said} for {subject}, which is not understood; {server.strange}"
    return Refusal(Reason.PULL_FAILED, text)


def refuse_silence(
    subject: str,
    host: str,
    cause: str,
    *,
    advice: str = "",
    reason: Reason | None = None,
    server: Server = REGISTRY,
) -> Refusal:
    """Return the refusal for a server that gave no answer: `cause` says how, in the words of `it …`."""
    text = f"{host} could not be asked for {subject}: it {cause}; {advice or 'it is asked again later'}"
    return Refusal(reason or server.unavailable, text, waiting=True)
