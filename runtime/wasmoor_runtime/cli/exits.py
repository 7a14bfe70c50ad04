"""What the exit codes of `wasmoor` mean: the one table, and which code a reason leads to. Pure.

`docs/cli.md` shows the same table; a test keeps them equal. Scripts rely on the numbers: they only ever grow.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from wasmoor_runtime.contract.status import Reason
from wasmoor_runtime.ports import Verdict


class Exit(IntEnum):
    """How a command ended."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    UNREACHABLE = 3
    LIMIT = 4
    FORBIDDEN = 5
    DEFECT = 70
    INTERRUPTED = 130


MEANINGS: Mapping[Exit, str] = MappingProxyType(
    {
        Exit.OK: "done",
        Exit.REFUSED: "the tool reported an error, or the component cannot be served",
        Exit.USAGE: "what was typed or written has to be changed: an option, a manifest, an argument, a file's name",
        Exit.UNREACHABLE: "a registry, web server or MCP server is not reached, or has or gives not what was asked",
        Exit.LIMIT: "a limit ended the call: time, memory, fuel, size of the answer, or too many calls at once",
        Exit.FORBIDDEN: "a policy or a safety check forbids it: wrong bytes, a denied digest, too wide limits",
        Exit.DEFECT: "a defect in wasmoor; please report it",
        Exit.INTERRUPTED: "interrupted with Ctrl-C",
    }
)

# What is not named here is for a person to mend in the component: REFUSED.
_REASONS: Mapping[str, Exit] = MappingProxyType(
    {
        **dict.fromkeys(
            ("ReferenceInvalid", "PolicyNotFound", "PolicyInvalid", "PolicyConflict", "PortUnavailable", "BadManifest"),
            Exit.USAGE,
        ),
        **dict.fromkeys(
            (
                "ArtifactNotFound", "RegistryUnavailable", "SourceUnavailable", "PullFailed",
                "CredentialsMissing", "CredentialsRefused", "CredentialsForbidden",
            ),
            Exit.UNREACHABLE,
        ),
        **dict.fromkeys(
            (
                "DigestMismatch", "ArtifactTooLarge", "ExceedsPolicy", "ImportNotAllowed", "RegistryNotAllowed",
                "DigestDenied", "KnownVulnerability", "PackagesUnreadable", "SignatureMissing", "SignatureInvalid",
            ),
            Exit.FORBIDDEN,
        ),
        Reason.INTERNAL.value: Exit.DEFECT,
    }
)  # fmt: skip

_VERDICTS: Mapping[Verdict, Exit] = MappingProxyType(
    {
        Verdict.OK: Exit.OK,
        Verdict.INVALID_ARGUMENTS: Exit.USAGE,
        Verdict.OUT_OF_MEMORY: Exit.LIMIT,
        Verdict.OUT_OF_STACK: Exit.LIMIT,
        Verdict.OUT_OF_FUEL: Exit.LIMIT,
        Verdict.EXCEEDS_LIMITS: Exit.LIMIT,
        Verdict.EXECUTION_TIMEOUT: Exit.LIMIT,
        Verdict.RESPONSE_TOO_LARGE: Exit.LIMIT,
        Verdict.BUSY: Exit.LIMIT,
        Verdict.RATE_LIMITED: Exit.LIMIT,
        Verdict.UNAVAILABLE: Exit.UNREACHABLE,
    }
)


def decide_exit(reason: str) -> Exit:
    """Return the code for a fault's reason."""
    return _REASONS.get(reason, Exit.REFUSED)


def decide_call_exit(verdict: str) -> Exit:
    """Return the code for how a call ended; a verdict that is not known is the component's."""
    return _VERDICTS.get(Verdict(verdict), Exit.REFUSED) if verdict in set(Verdict) else Exit.REFUSED
