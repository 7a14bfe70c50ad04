"""Manifests from files: which documents there are, where each stands, and which of them are ours.

Threat: none beyond the user's own files; they are read with the safe loader, sizes are bounded, and what cannot be
understood is refused with the place where it stands. Called by `assembly`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from wasmoor_runtime.cli.problems import UserError

GROUP = "wasmoor.dev"
API_VERSION = f"{GROUP}/v1alpha1"
COMPONENT = "WasmComponent"
POLICY = "ComponentPolicy"
KINDS = (COMPONENT, POLICY)
# Kubernetes' own: a component may be in one.
CONFIG_MAP = "ConfigMap"
SUFFIXES = (".yaml", ".yml", ".json")
_LARGEST_FILE = 8 * 1024 * 1024
_DEFAULT_NAMESPACE = "default"
_NAME = re.compile(r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One object of ours and where it stands."""

    where: str  # `file.yaml, document 2`
    kind: str
    namespace: str
    name: str
    body: Mapping[str, Any]

    @property
    def spec(self) -> Mapping[str, Any]:
        """The spec; empty if there is none."""
        spec = self.body.get("spec")
        return spec if isinstance(spec, dict) else {}

    def __str__(self) -> str:
        return f"{self.where} ({self.kind} {self.namespace}/{self.name})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was found: our documents, and a note for each that is somebody else's."""

    documents: tuple[Document, ...] = ()
    notes: tuple[str, ...] = field(default=())


class _Loader(yaml.SafeLoader):
    """The safe loader, which refuses a key that is written twice: the second would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is not None and key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} is written twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def find_files(path: Path) -> tuple[Path, ...]:
    """Return the manifests at `path`: itself, or the files directly in it, by name."""
    if path.is_file():
        return (path,)
    if not path.is_dir():
        raise UserError(f"{path}: no such file or directory")
    try:
        files = sorted(entry for entry in path.iterdir() if entry.suffix in SUFFIXES and entry.is_file())
    except OSError as error:
        raise UserError(f"{path}: {_lower(error)}") from error
    if not files:
        raise UserError(f"{path}: no manifests: files must end in {', '.join(SUFFIXES)}")
    return tuple(files)


def read_manifests(path: Path) -> Reading:
    """Read all manifests at `path`; `UserError` has a line for everything that cannot be read."""
    documents: list[Document] = []
    notes: list[str] = []
    problems: list[str] = []
    for file in find_files(path):
        try:
            reading = parse_documents(_read(file), str(file))
        except UserError as error:
            problems.extend(error.lines)
        else:
            documents.extend(reading.documents)
            notes.extend(reading.notes)
    problems.extend(_find_doubles(documents))
    if problems:
        raise UserError(*problems)
    return Reading(documents=tuple(documents), notes=tuple(notes))


def parse_documents(text: str, where: str) -> Reading:
    """Return what the documents of one file are; `UserError` has a line for each that cannot be understood."""
    documents: list[Document] = []
    notes: list[str] = []
    problems: list[str] = []
    for place, body in _load(text, where):
        try:
            found = _parse_document(body, place)
        except UserError as error:
            problems.extend(error.lines)
        else:
            if isinstance(found, Document):
                documents.append(found)
            else:
                notes.append(found)
    if problems:
        raise UserError(*problems)
    return Reading(documents=tuple(documents), notes=tuple(notes))


def read_data(document: Document) -> dict[str, bytes]:
    """Return what a ConfigMap holds, as pods would find it mounted; `UserError` names the key that is no base64."""
    texts, found = document.body.get("data") or {}, document.body.get("binaryData") or {}
    result = {str(key): str(text).encode() for key, text in texts.items()} if isinstance(texts, dict) else {}
    for key, text in found.items() if isinstance(found, dict) else ():
        try:
            result[str(key)] = base64.b64decode("".join(str(text).split()), validate=True)
        except ValueError as error:
            raise UserError(f"{document}: binaryData.{key}: no base64: {error}") from error
    return result


def _read(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(_LARGEST_FILE + 1)
        text = data.decode()
    except OSError as error:
        raise UserError(f"{file}: {_lower(error)}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{file}: no UTF-8 text") from error
    if len(data) > _LARGEST_FILE:
        raise UserError(f"{file}: larger than {_LARGEST_FILE} bytes")
    return text


def _load(text: str, where: str) -> Iterator[tuple[str, Any]]:
    """Yield each document and where it stands; a `List` yields its items."""
    try:
        bodies = list(yaml.load_all(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f", line {mark.line + 1}" if mark else ""
        raise UserError(f"{where}{place}: no YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UserError(f"{where}: no YAML: {error}") from error
    several = len(bodies) > 1
    for number, body in enumerate(bodies, start=1):
        place = f"{where}, document {number}" if several else where
        if body is None:
            continue  # an empty document, such as the one after a last `---`
        if isinstance(body, dict) and body.get("kind") == "List" and isinstance(body.get("items"), list):
            yield from ((f"{place}, item {index}", item) for index, item in enumerate(body["items"], start=1))
        else:
            yield place, body


def _parse_document(body: Any, where: str) -> Document | str:
    """Return the document, or a note why it is skipped."""
    if not isinstance(body, dict):
        raise UserError(f"{where}: a manifest is an object with apiVersion, kind, metadata and spec")
    version, kind, metadata = body.get("apiVersion"), body.get("kind"), body.get("metadata")
    if not isinstance(version, str) or not isinstance(kind, str):
        raise UserError(
            f"{where}: apiVersion or kind is missing: write apiVersion: {API_VERSION} and kind: {COMPONENT}"
        )
    name = metadata.get("name") if isinstance(metadata, dict) else None
    is_config_map = (version, kind) == ("v1", CONFIG_MAP)
    if version.partition("/")[0] != GROUP and not is_config_map:
        return f"{where}: skipped {kind} {name}: it means nothing without a cluster"
    if version != API_VERSION and not is_config_map:
        raise UserError(f"{where}: apiVersion {version} is not known: write {API_VERSION}")
    if kind not in KINDS and not is_config_map:
        raise UserError(f"{where}: kind {kind} is not known: write {' or '.join(KINDS)}")
    if not isinstance(metadata, dict) or not isinstance(name, str) or not _NAME.match(name):
        raise UserError(f"{where}: metadata.name: write a name of lower-case letters, digits and dashes")
    namespace = metadata.get("namespace", _DEFAULT_NAMESPACE)
    if not isinstance(namespace, str) or not _NAME.match(namespace):
        raise UserError(f"{where}: metadata.namespace: write a name of lower-case letters, digits and dashes")
    return Document(where=where, kind=kind, namespace=namespace, name=name, body=body)


def _find_doubles(documents: Sequence[Document]) -> Iterator[str]:
    known: dict[tuple[str, str, str], Document] = {}
    for document in documents:
        key = (document.kind, document.namespace, document.name)
        first = known.setdefault(key, document)
        if first is not document:
            yield f"{document}: already stands in {first.where}; leave one of them"


def _lower(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
