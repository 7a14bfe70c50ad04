"""What one call may use: the policy's limits, tightened by the component.

Threat: a component's author who grants the component more than the policy's author allows. A wider wish is an error
with both values in it, never a silent cut: a limit that is written and not in force would be a lie.
"""

from __future__ import annotations

from wasmoor_runtime import errors
from wasmoor_runtime.contract.document import CallLimits
from wasmoor_runtime.contract.quantities import parse_bytes, parse_duration
from wasmoor_runtime.contract.spec import Execution, Limits

_COUNTS = ("table_elements", "instances", "tables", "memories", "fuel", "concurrency", "calls_per_second")
_SIZES = {
    "memory": "memory_bytes",
    "stack": "stack_bytes",
    "request_bytes": "request_bytes",
    "response_bytes": "response_bytes",
}


def policy_limits(limits: Limits) -> CallLimits:
    """Return a policy's limits as numbers, built-in where it is silent; raises `Stalled` (PolicyInvalid)."""
    values: dict[str, int | float] = {name: value for name in _COUNTS if (value := getattr(limits, name)) is not None}
    for name, target in _SIZES.items():
        text: str | None = getattr(limits, name)
        if text is not None:
            values[target] = _positive(f"limits.{name}", text, parse_bytes(text))
    if limits.execution_timeout is not None:
        text = limits.execution_timeout
        values["timeout_seconds"] = _positive("limits.executionTimeout", text, parse_duration(text))
    return CallLimits.model_validate(values)


def call_limits(limits: Limits, execution: Execution) -> CallLimits:
    """Return what one call may use; raises `Stalled` (ExceedsPolicy) when the component asks for more than it may."""
    allowed = policy_limits(limits)
    wanted: dict[str, int | float] = {"queue": execution.queue}
    excess: list[str] = []
    if execution.concurrency is not None:
        wanted["concurrency"] = execution.concurrency
        if execution.concurrency > allowed.concurrency:
            excess.append(f"spec.execution.concurrency is {execution.concurrency}, allowed are {allowed.concurrency}")
    if execution.timeout is not None:
        wanted["timeout_seconds"] = _positive("execution.timeout", execution.timeout, parse_duration(execution.timeout))
        if wanted["timeout_seconds"] > allowed.timeout_seconds:
            excess.append(f"spec.execution.timeout is {execution.timeout}, allowed are {allowed.timeout_seconds:g}s")
    if excess:
        raise errors.Stalled("ExceedsPolicy", f"{'; '.join(excess)}: ask for less, or have the policy allow more")
    return allowed.model_copy(update=wanted)


def _positive(field: str, text: str, value: float) -> float:
    """Return the value; raises `Stalled` when it is zero, which a pattern cannot tell from other numbers."""
    if value <= 0:
        reason = "ExceedsPolicy" if field.startswith("execution") else "PolicyInvalid"
        raise errors.Stalled(reason, f"spec.{field} is {text}: write a value above zero")
    return value
