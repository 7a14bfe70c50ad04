"""The door to OCI registries: what a reference names, before any pod is started for it.

Reads manifests only, never a component's bytes. The protocol and its bounds are the runtime's `registry` package, which
pods use too; here its refusals become faults of the operator. Called by `resolutions`.
"""

from __future__ import annotations

from wasmoor_operator import errors
from wasmoor_operator.reasons import Reason
from wasmoor_runtime.artifacts import mirrors as mirror_urls
from wasmoor_runtime.artifacts import references
from wasmoor_runtime.artifacts.refusals import Refusal
from wasmoor_runtime.registry import resolution
from wasmoor_runtime.registry.resolution import Resolved


async def resolve(
    reference: str,
    *,
    insecure: bool = False,
    mirrors: mirror_urls.Mirrors | None = None,
    timeout: float = resolution.TIMEOUT,
) -> Resolved:
    """Return the digest that a reference names and the component behind it; all of it within `timeout` seconds.

    `mirrors` maps registry hosts to `http(s)://host[:port]`. Cancelling ends the requests.

    Raises:
        errors.Stalled: the reference is wrong, names nothing, or names something else than a component.
        errors.Waiting: the registry does not say now.
    """
    try:
        parsed = references.parse_reference(reference)
        mirror = mirror_urls.find_mirror(parsed, mirrors or {})
        return await resolution.resolve(parsed, insecure=insecure, mirror=mirror, timeout=timeout)
    except ValueError as error:
        raise errors.Stalled(Reason.REFERENCE_INVALID, str(error)) from None
    except Refusal as refusal:
        raise render_fault(refusal) from refusal


def render_fault(refusal: Refusal) -> errors.OperatorFault:
    """Return the operator's fault for a refusal; every reason of the runtime is one of the operator's."""
    reason = Reason(refusal.reason.value)
    if refusal.delay is None:
        return errors.Stalled(reason, refusal.message)
    return errors.Waiting(reason, refusal.message, delay=refusal.delay)
