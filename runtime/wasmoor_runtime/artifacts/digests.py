"""Digests: computing them, and letting bytes through only if they are what a digest names.

Threat: a registry, a mirror or the way to it hands out other bytes than were asked for, more bytes, or bytes without
end. Nothing is trusted before the last byte was hashed. Pure.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator

from wasmoor_runtime.artifacts.refusals import Refusal
from wasmoor_runtime.contract.status import Reason

_DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")


def is_digest(text: str) -> bool:
    """Return whether this is a SHA-256 digest as OCI writes it: `sha256:` and 64 lower-case hex digits."""
    return _DIGEST.fullmatch(text) is not None


def compute_digest(data: bytes) -> str:
    """Return the digest of these bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def check_bytes(data: bytes, digest: str, subject: str) -> bytes:
    """Return the bytes if they are what the digest names; else `Refusal` with DigestMismatch."""
    actual = compute_digest(data)
    if actual != digest:
        raise _refuse_mismatch(subject, digest, actual)
    return data


def check_stream(chunks: Iterable[bytes], digest: str, size: int, subject: str) -> Iterator[bytes]:
    """Pass on the chunks of one blob of `size` bytes, never more; what was passed on is good only when this ends.

    Raises:
        Refusal: DigestMismatch for other or more bytes, PullFailed (waiting) for fewer.
    """
    hasher = hashlib.sha256()
    seen = 0
    for chunk in chunks:
        seen += len(chunk)
        if seen > size:
            text = f"{subject} is longer than the {size} bytes its manifest declares; push it again, from a good copy"
            raise Refusal(Reason.DIGEST_MISMATCH, text)
        hasher.update(chunk)
        yield chunk
    if seen < size:
        text = f"the transfer of {subject} ended after {seen} of {size} bytes; it is tried again"
        raise Refusal(Reason.PULL_FAILED, text, waiting=True)
    actual = f"sha256:{hasher.hexdigest()}"
    if actual != digest:
        raise _refuse_mismatch(subject, digest, actual)


def check_unsized(chunks: Iterable[bytes], digest: str | None, largest: int, subject: str) -> Iterator[bytes]:
    """Pass on the chunks of a file of unknown size, at most `largest` bytes; good only when this ends.

    Without a digest only the size is checked.

    Raises:
        Refusal: ArtifactTooLarge for more bytes, DigestMismatch for other ones.
    """
    hasher = hashlib.sha256()
    seen = 0
    for chunk in chunks:
        seen += len(chunk)
        if seen > largest:
            raise refuse_size(subject, f"more than {largest}", largest)
        hasher.update(chunk)
        yield chunk
    actual = f"sha256:{hasher.hexdigest()}"
    if digest is not None and actual != digest:
        raise _refuse_mismatch(subject, digest, actual)


def refuse_size(subject: str, size: int | str, largest: int) -> Refusal:
    """Return the refusal of a component that is too large."""
    text = f"{subject} has {size} bytes, and {largest} are allowed; make it smaller or raise the limit"
    return Refusal(Reason.ARTIFACT_TOO_LARGE, text)


def _refuse_mismatch(subject: str, expected: str, actual: str) -> Refusal:
    text = (
        f"the bytes of {subject} have digest {actual} instead of {expected}; check the registry and what is before it"
    )
    return Refusal(Reason.DIGEST_MISMATCH, text)
