"""What a component says about itself: name, version, language, origin, the packages in it, its custom sections.

Pure. These are the sections that `wasm-tools metadata show` prints, https://github.com/WebAssembly/tool-conventions and
the crate wasm-metadata: text in sections of their own, the name in a name section, tools and languages in `producers`.
The component's author wrote all of it: texts are cut, and hold nothing that could steer a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from wasmoor_runtime.artifacts import packages, sections
from wasmoor_runtime.artifacts.packages import Package
from wasmoor_runtime.artifacts.sections import Part

_LONGEST_WORD = 128  # characters of a name, version or tool
_LONGEST_TEXT = 1024
_MOST_SECTIONS = 256
_MOST_PRODUCERS = 256

# How people write a language that tools spell in several ways; C's and C++'s names carry their standard.
_LANGUAGES = {"rust": "Rust", "python": "Python", "javascript": "JavaScript", "typescript": "TypeScript", "go": "Go"}
# What a part's name or a tool of its own says about the language, where nobody wrote it down. The first that fits wins:
# an interpreter's own language says less than the one it runs.
_SIGNS = (
    ("componentize_py", "Python"),
    ("componentize-py", "Python"),
    ("libpython", "Python"),
    ("componentizejs", "JavaScript"),
    ("starlingmonkey", "JavaScript"),
    ("tinygo", "Go"),
    ("wit-bindgen-go", "Go"),
    ("wit-bindgen-rust", "Rust"),
    ("rustc", "Rust"),
    ("wit-bindgen-c", "C"),
    ("clang", "C"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Producer:
    """Who made it: `field` is `language`, `processed-by` or `sdk`."""

    field: str
    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A custom section of the component or of a part inside it."""

    name: str
    size: int  # bytes
    depth: int  # 0 is the component itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a component says about itself; what it does not say is empty."""

    name: str = ""
    version: str = ""
    description: str = ""
    language: str = ""
    authors: str = ""
    licenses: str = ""
    source: str = ""
    homepage: str = ""
    revision: str = ""
    producers: tuple[Producer, ...] = ()
    packages: tuple[Package, ...] = ()
    problems: tuple[str, ...] = field(default=())
    """Lists of packages that are there and cannot be read."""
    sections: tuple[Section, ...] = ()
    """The first 256 of them."""


def parse_metadata(data: bytes | memoryview) -> Metadata:
    """Return what the bytes of a component say about it; never raises for what a stranger wrote."""
    parts = list(sections.read_parts(data))
    outer = parts[0]
    listed, problems = _read_lists(parts)
    return Metadata(
        name=_word(_read_name(outer)),
        version=_text(outer, "version", _LONGEST_WORD),
        description=_text(outer, "description"),
        language=_decide_language(parts),
        authors=_text(outer, "authors") or _text(outer, "author"),
        licenses=_text(outer, "licenses"),
        source=_text(outer, "source"),
        homepage=_text(outer, "homepage"),
        revision=_text(outer, "revision"),
        producers=tuple(_read_producers(outer)),
        packages=listed,
        problems=problems,
        sections=tuple(_list_sections(parts)),
    )


def clean(text: str, longest: int = _LONGEST_TEXT) -> str:
    """Return the text without what steers terminals, in one line of at most `longest` characters."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(shown.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _word(text: str) -> str:
    return clean(text, _LONGEST_WORD)


def _text(part: Part, section: str, longest: int = _LONGEST_TEXT) -> str:
    content = part.find(section)
    return "" if content is None else clean(bytes(content[: 4 * longest]).decode("utf-8", "replace"), longest)


def _read_name(part: Part) -> str:
    """Return the name in a part's name section: its first subsection, of kind 0."""
    content = part.find("component-name" if part.is_component else "name")
    if content is None or not content or content[0] != 0:
        return ""
    _, start = sections.read_leb(content, 1)
    text, _ = _read_string(content, start)
    return text


def _read_producers(part: Part) -> Iterator[Producer]:
    """Yield `producers`: a count of fields, each a name and a count of pairs of name and version."""
    content = part.find("producers")
    if content is None:
        return
    fields, offset = sections.read_leb(content, 0)
    left = _MOST_PRODUCERS
    for _ in range(min(fields or 0, left)):
        kind, offset = _read_string(content, offset)
        count, offset = sections.read_leb(content, offset)
        for _ in range(min(count or 0, left)):
            name, offset = _read_string(content, offset)
            version, offset = _read_string(content, offset)
            left -= 1
            if name:
                yield Producer(field=_word(kind), name=_word(name), version=_word(version))


def _read_string(content: memoryview, offset: int) -> tuple[str, int]:
    length, start = sections.read_leb(content, offset)
    if length is None or start + length > len(content):
        return "", len(content)
    return bytes(content[start : start + length]).decode("utf-8", "replace"), start + length


def _decide_language(parts: Sequence[Part]) -> str:
    """Return the language: the component's own word, or what its parts' names and tools are signs of."""
    own = [each.name for each in _read_producers(parts[0]) if each.field == "language"]
    if own:
        return _LANGUAGES.get(own[0].lower(), own[0])
    signs = [_read_name(part).lower() for part in parts]
    signs += [each.name.lower() for part in parts for each in _read_producers(part) if each.field != "language"]
    for sign, language in _SIGNS:
        if any(sign in each for each in signs):
            return language
    written = (each.name for part in parts for each in _read_producers(part) if each.field == "language")
    first = next(written, "")
    return _LANGUAGES.get(first.lower(), first)


def _read_lists(parts: Iterable[Part]) -> tuple[tuple[Package, ...], tuple[str, ...]]:
    found: set[Package] = set()
    problems: list[str] = []
    for part in parts:
        for name, content in part.custom:
            if packages.is_list(name):
                try:
                    found |= packages.parse_packages(name, bytes(content))
                except packages.UnreadableList as error:
                    problems.append(clean(str(error)))
    if len(found) > packages.MOST_PACKAGES:
        problems.append(f"its lists of packages have more than {packages.MOST_PACKAGES} of them")
    return tuple(sorted(found)[: packages.MOST_PACKAGES]), tuple(problems)


def _list_sections(parts: Iterable[Part]) -> Iterator[Section]:
    every = ((part.depth, name, content) for part in parts for name, content in part.custom)
    for (depth, name, content), _ in zip(every, range(_MOST_SECTIONS), strict=False):
        yield Section(name=_word(name), size=len(content), depth=depth)


def find_annotation(annotations: Mapping[str, str], key: str) -> str:
    """Return an OCI annotation as a word, or nothing; https://github.com/opencontainers/image-spec, annotations.md."""
    return _word(annotations.get(f"org.opencontainers.image.{key}", ""))
