"""From the models to CustomResourceDefinitions: structural OpenAPI v3 schemas, no references, bounds everywhere. Pure.

`python -m wasmoor_operator.api DIRECTORY` writes them; a test fails when the written files differ from the models.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from wasmoor_operator.api import group, rules
from wasmoor_operator.api.component import WasmComponentSpec
from wasmoor_operator.api.policy import ComponentPolicySpec
from wasmoor_operator.api.rules import ListType, Rule
from wasmoor_operator.api.status import ComponentPolicyStatus, WasmComponentStatus
from wasmoor_runtime.contract.quantities import QUANTITY_PATTERN

Schema = dict[str, Any]

# Pydantic's words that OpenAPI v3 in Kubernetes has too, with the same meaning.
_KEPT = (
    "type",
    "description",
    "pattern",
    "format",
    "enum",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "maxProperties",
)
_MAX_INTEGER = 2**53 - 1  # what JSON carries without loss
_KEY_LENGTH = 317  # an optional prefix, a slash and a name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Extras:
    """What `rules` adds to one CRD; `used` is what was found while walking, to tell paths that no schema has."""

    lists: Mapping[str, ListType]
    rules: Mapping[str, tuple[Rule, ...]]
    optional: frozenset[str] = frozenset()
    open: frozenset[str] = frozenset()
    used: set[str] = field(default_factory=set)

    def check(self) -> None:
        """Raise `ValueError` for a path that names nothing."""
        unused = ({*self.lists, *self.rules} | self.optional | self.open) - self.used - {""}
        if unused:
            raise ValueError(f"no such fields: {', '.join(sorted(unused))}")


def build_component_crd() -> Schema:
    """Return the CustomResourceDefinition of WasmComponent."""
    extras = _Extras(
        lists=rules.COMPONENT_LISTS,
        rules=rules.COMPONENT_RULES,
        optional=rules.COMPONENT_OPTIONAL,
        open=rules.COMPONENT_OPEN,
    )
    version = {
        "name": group.VERSION,
        "served": True,
        "storage": True,
        "subresources": {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            },
        },
        "additionalPrinterColumns": _COMPONENT_COLUMNS,
        "schema": {
            "openAPIV3Schema": _build_root(
                "A WebAssembly component that is served as MCP tools.", WasmComponentSpec, WasmComponentStatus, extras
            )
        },
    }
    return _build_crd(group.COMPONENT_KIND, group.COMPONENT_PLURAL, "wc", version)


def build_policy_crd() -> Schema:
    """Return the CustomResourceDefinition of ComponentPolicy."""
    extras = _Extras(lists=rules.POLICY_LISTS, rules=rules.POLICY_RULES, optional=rules.POLICY_OPTIONAL)
    version = {
        "name": group.VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": _POLICY_COLUMNS,
        "schema": {
            "openAPIV3Schema": _build_root(
                "What the components of a namespace may use.", ComponentPolicySpec, ComponentPolicyStatus, extras
            )
        },
    }
    return _build_crd(group.POLICY_KIND, group.POLICY_PLURAL, "cpol", version)


def _column(name: str, kind: str, path: str, description: str, *, wide: bool = False) -> Schema:
    """Return a printer column; wide ones are shown by `kubectl get -o wide`."""
    column: Schema = {"name": name, "type": kind, "jsonPath": path, "description": description}
    return {**column, "priority": 1} if wide else column


_READY = '.status.conditions[?(@.type=="Ready")]'
_AGE = _column("Age", "date", ".metadata.creationTimestamp", "Time since it was created.")
_COMPONENT_COLUMNS = [
    _column("Ready", "string", f"{_READY}.status", "Whether its tools can be called."),
    _column("Phase", "string", ".status.phase", "How far it is."),
    _column("Tools", "integer", ".status.toolCount", "How many tools it has."),
    _column("Replicas", "string", ".status.pods", "Ready pods of wanted pods."),
    _column("Restarts", "integer", ".status.restarts.count", "How often its pods' containers were started again."),
    _AGE,
    _column("Reason", "string", f"{_READY}.reason", "Why it is ready or not.", wide=True),
    _column("Digest", "string", ".status.artifact.digest", "The version.", wide=True),
    _column("Endpoint", "string", ".status.endpoint", "Where MCP clients connect.", wide=True),
]
_POLICY_COLUMNS = [
    _column("Ready", "string", f"{_READY}.status", "Whether it can be applied."),
    _column("Default", "boolean", ".spec.default", "Whether it is the namespace's default."),
    _column("Components", "integer", ".status.boundComponents", "How many components it applies to."),
    _AGE,
    _column("Reason", "string", f"{_READY}.reason", "Why it is ready or not.", wide=True),
]


def _build_crd(kind: str, plural: str, short: str, version: Schema) -> Schema:
    """Return a CustomResourceDefinition with one version."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group.GROUP}"},
        "spec": {
            "group": group.GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": kind.lower(),
                "shortNames": [short],
                "categories": ["wasmoor"],
            },
            "versions": [version],
        },
    }


def _build_root(description: str, spec: type[BaseModel], status: type[BaseModel], extras: _Extras) -> Schema:
    """Return the schema of a whole object."""
    root: Schema = {
        "description": description,
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": "The version of this kind."},
            "kind": {"type": "string", "description": "The kind."},
            # Of metadata, only the name may have a schema; its bound makes the rules' cost known.
            "metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 253}}},
            "spec": _build_model(spec, "spec", extras),
            "status": _build_model(status, "status", extras),
        },
    }
    _add_rules(root, "", extras)
    extras.check()
    return root


def _build_model(model: type[BaseModel], path: str, extras: _Extras) -> Schema:
    """Return the structural schema of a model."""
    source = model.model_json_schema(by_alias=True)
    return _build(source, source.get("$defs", {}), path, extras)


def _build(source: Schema, definitions: Schema, path: str, extras: _Extras) -> Schema:
    """Return one node of a structural schema; `path` names it for `extras`."""
    source = _resolve(source, definitions)
    extras.used.add(path)
    result: Schema = {key: source[key] for key in _KEPT if key in source}
    if source.get("pattern") == QUANTITY_PATTERN:
        result = _build_quantity(result)
    elif source.get("type") == "object":
        result |= _build_object(source, definitions, path, extras)
    elif source.get("type") == "array":
        result |= _build_array(source, definitions, path, extras)
    elif source.get("type") == "integer":
        result |= {"format": "int64", "maximum": source.get("maximum", _MAX_INTEGER)}
    _add_rules(result, path, extras)
    return result


def _build_object(source: Schema, definitions: Schema, path: str, extras: _Extras) -> Schema:
    """Return what an object node has besides its description."""
    if path in extras.open:
        return {"properties": {name: _open_object(name) for name in ("metadata", "spec")}}
    below = source.get("additionalProperties")
    if isinstance(below, dict):
        values = _build(below, definitions, f"{path}.*", extras)
        return {"additionalProperties": values, "maxProperties": source["maxProperties"]}
    properties: Schema = {}
    for name, each in source["properties"].items():
        child = _build(each, definitions, f"{path}.{name}", extras)
        if "default" in each and isinstance(each["default"], bool | int | str) and each["default"] != "":
            child["default"] = each["default"]
        properties[name] = child
    required = [name for name in source.get("required", ()) if f"{path}.{name}" not in extras.optional]
    return {"properties": properties, **({"required": required} if required else {})}


def _open_object(name: str) -> Schema:
    """Return a part of a PodTemplateSpec, which the API server checks in the Deployment that is made of it."""
    return {
        "type": "object",
        "description": f"Laid over the `{name}` of the pods: objects are merged, null removes a field.",
        "x-kubernetes-preserve-unknown-fields": True,
    }


def _build_array(source: Schema, definitions: Schema, path: str, extras: _Extras) -> Schema:
    """Return what a list node has besides its description; a list without a type or a bound is a defect."""
    how = extras.lists[path]
    items = _build(source["items"], definitions, f"{path}[]", extras)
    keys = {"x-kubernetes-list-map-keys": list(how.keys)} if how.keys else {}
    return {"items": items, "maxItems": source["maxItems"], "x-kubernetes-list-type": how.kind, **keys}


def _build_quantity(found: Schema) -> Schema:
    """Return the schema of a Kubernetes quantity: `cpu: 1` and `cpu: 250m` are both fine."""
    return {
        "x-kubernetes-int-or-string": True,
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "pattern": found["pattern"],
        "maxLength": found["maxLength"],
        **({"description": found["description"]} if "description" in found else {}),
    }


def _resolve(source: Schema, definitions: Schema) -> Schema:
    """Return a node without `$ref` and without `null`; a field's own description wins over its type's."""
    if "anyOf" in source:
        kept = [each for each in source["anyOf"] if each.get("type") != "null"]
        if len(kept) != 1:
            raise ValueError(f"a union has no structural schema: {source}")
        source = {**kept[0], **{key: value for key, value in source.items() if key != "anyOf"}}
    if "$ref" in source:
        target = definitions[source["$ref"].rpartition("/")[2]]
        source = {**target, **{key: value for key, value in source.items() if key != "$ref"}}
    return source


def _add_rules(result: Schema, path: str, extras: _Extras) -> None:
    """Add the CEL rules of a node."""
    if path in extras.rules:
        result["x-kubernetes-validations"] = [
            {"rule": each.rule, "message": each.message} for each in extras.rules[path]
        ]
