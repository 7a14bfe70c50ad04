"""What the models cannot say: list types and CEL rules of the CRDs, each with a message that says what to write.

Keyed by path: field names joined by dots, `[]` for items of a list. Every list has a type here; a path that no schema
has is an error when the CRDs are generated.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wasmoor_operator.api import references
from wasmoor_runtime.artifacts import addresses
from wasmoor_runtime.contract.spec import ONE_SOURCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One CEL rule."""

    rule: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListType:
    """How server-side apply merges a list."""

    kind: str
    keys: tuple[str, ...] = ()


SET = ListType(kind="set")
BY_NAME = ListType(kind="map", keys=("name",))
ATOMIC = ListType(kind="atomic")
BY_TYPE = ListType(kind="map", keys=("type",))

COMPONENT_LISTS: Mapping[str, ListType] = {
    "spec.tools.include": SET,
    "spec.tools.exclude": SET,
    "spec.tools.overrides": BY_NAME,
    "status.component.imports": ATOMIC,
    "status.component.exports": ATOMIC,
    "status.tools": BY_NAME,
    "status.conditions": BY_TYPE,
}
POLICY_LISTS: Mapping[str, ListType] = {"spec.artifacts.denyDigests": SET, "status.conditions": BY_TYPE}


def _quote(pattern: str) -> str:
    """Return a regular expression as a CEL string."""
    return "'" + pattern.replace("\\", "\\\\") + "'"


def _above_zero(field: str) -> Rule:
    """Return the rule for a duration."""
    return Rule(rule="duration(self) > duration('0s')", message=f"{field} must be longer than zero, for example 10s")


_RESOURCE_NAMES = Rule(
    rule="self.all(name, name in ['cpu', 'memory', 'ephemeral-storage'] || name.contains('/'))",
    message="resources are cpu, memory, ephemeral-storage, or extended ones such as vendor.example/device",
)
_HAS_DIGEST = f"self.matches({_quote('@' + references.DIGEST + '$')})"
_HAS_FORM = f"self.matches({_quote(references.REFERENCE_PATTERN)})"
_HAS_VERSION = f"self.split('/')[self.split('/').size() - 1].matches({_quote(references.TAGGED_PATTERN)})"

COMPONENT_RULES: Mapping[str, tuple[Rule, ...]] = {
    "": (
        Rule(
            rule="self.metadata.name.size() <= 63 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
            message="metadata.name becomes the name of a Service: write at most 63 lower-case letters, digits and '-', "
            "beginning with a letter",
        ),
    ),
    "spec.source": (
        Rule(
            rule="[has(self.oci), has(self.http), has(self.configMap), has(self.file)].filter(it, it).size() == 1",
            message=ONE_SOURCE,
        ),
    ),
    "spec.source.http.url": (
        Rule(
            rule="!self.matches('^[a-zA-Z0-9+.-]+://[^/?#]*@')",
            message="the URL holds a user or a password: leave them out",
        ),
        Rule(
            rule=f"self.matches('^[a-zA-Z0-9+.-]+://[^/?#]*@') || self.matches({_quote(addresses.URL_PATTERN)})",
            message="write a URL on http or https without a fragment, for example https://files.example/time.wasm",
        ),
    ),
    "spec.source.file.path": (
        Rule(
            rule="self.startsWith('/') && !self.split('/').exists(part, part == '..')",
            message="write an absolute path without '..' on a volume of podTemplate, such as /components/time.wasm",
        ),
    ),
    # Each rule stays silent about what another one names, so that people read one sentence, not four.
    "spec.source.oci.reference": (
        Rule(rule="!self.contains('://')", message=references.NO_SCHEME),
        Rule(
            rule=f"self.contains('://') || !self.contains('@') || {_HAS_DIGEST}",
            message=references.BAD_DIGEST,
        ),
        Rule(
            rule=f"self.contains('://') || (self.contains('@') && !{_HAS_DIGEST}) || {_HAS_FORM}",
            message=references.BAD_FORM,
        ),
        Rule(rule=f"!{_HAS_FORM} || {_HAS_VERSION}", message=references.NO_VERSION),
    ),
    "spec.source.oci.refresh": (
        Rule(
            rule="duration(self) >= duration('10s')",
            message="refresh must be at least 10s, to spare the registry",
        ),
    ),
    "spec.source.oci": (
        Rule(
            rule="!(has(self.refresh) && self.reference.contains('@'))",
            message="a digest never changes: remove refresh, or name a tag without a digest",
        ),
    ),
    "spec.execution.timeout": (_above_zero("timeout"),),
    "spec.resources.requests": (_RESOURCE_NAMES,),
    "spec.resources.limits": (_RESOURCE_NAMES,),
}
POLICY_RULES: Mapping[str, tuple[Rule, ...]] = {
    "spec.limits.executionTimeout": (_above_zero("executionTimeout"),),
}

# A status is never refused for what it lacks: saying little is better than saying nothing.
COMPONENT_OPTIONAL: frozenset[str] = frozenset({"status.observedGeneration", "status.phase", "status.restarts"})
POLICY_OPTIONAL: frozenset[str] = frozenset({"status.observedGeneration", "status.boundComponents"})
# Checked elsewhere: the API server validates the Deployment that is made of it.
COMPONENT_OPEN: frozenset[str] = frozenset({"spec.podTemplate"})
