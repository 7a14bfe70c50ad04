"""The grammar of OCI references, once: for the CRD's rules and for the gate behind them. Pure.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
"""

from __future__ import annotations

import re

HOST = r"[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:[0-9]{1,5})?"
PART = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
DIGEST = r"sha256:[0-9a-f]{64}"

REPOSITORY_PATTERN = rf"^({HOST}/)?{PART}(/{PART})*"
REFERENCE_PATTERN = rf"{REPOSITORY_PATTERN}((:{TAG})?(@{DIGEST})?)$"
TAGGED_PATTERN = rf"(:{TAG}(@{DIGEST})?|@{DIGEST})$"

NO_SCHEME = "write the reference without a scheme, for example registry.example/team/time:1.2.0"
BAD_DIGEST = "a digest is written @sha256: followed by 64 lower-case hexadecimal digits"
BAD_FORM = (
    "write registry/repository:tag, registry/repository@sha256:<64 hex digits> or both; repositories are in lower case"
)
NO_VERSION = "it names neither a tag nor a digest; append one, for example :1.2.0"


def find_problem(reference: str) -> str:
    """Return what is wrong with a reference in one sentence, or an empty string."""
    if "://" in reference:
        return NO_SCHEME
    if "@" in reference and not re.search(rf"@{DIGEST}\Z", reference):
        return BAD_DIGEST
    if not re.fullmatch(REFERENCE_PATTERN, reference):
        return BAD_FORM
    # A port looks like a tag, so the version is looked for behind the last slash only.
    return "" if re.search(TAGGED_PATTERN, reference.rpartition("/")[2]) else NO_VERSION
