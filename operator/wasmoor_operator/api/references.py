"""The form of OCI references for the CRD's rules, with the sentences that people get.

The grammar itself is `wasmoor_runtime.artifacts.references`, which the gates ask; these patterns let through everything
that it takes, and a test holds them to that. Constants only.
"""

from __future__ import annotations

HOST = r"([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?"
PART = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
DIGEST = r"sha256:[0-9a-f]{64}"

REFERENCE_PATTERN = rf"^({HOST}/)?{PART}(/{PART})*(:{TAG})?(@{DIGEST})?$"
# For what stands behind the last slash: before it, a port looks like a tag.
TAGGED_PATTERN = rf"(:{TAG}(@{DIGEST})?|@{DIGEST})$"

NO_SCHEME = "write the reference without a scheme, for example registry.example/team/time:1.2.0"
BAD_DIGEST = "a digest is written @sha256: followed by 64 lower-case hexadecimal digits"
BAD_FORM = (
    "write registry/repository:tag, registry/repository@sha256:<64 hex digits> or both; repositories are in lower case"
)
NO_VERSION = "the reference names neither a tag nor a digest; append one, for example :1.2.0"
