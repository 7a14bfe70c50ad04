import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasmoor_runtime.artifacts import references
from wasmoor_runtime.artifacts.references import Reference

HEX = "0123456789abcdef" * 4

LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
HOSTS = st.one_of(
    st.just("localhost"),
    st.just("docker.io"),
    st.just("[::1]:5000"),
    st.builds("{}.{}".format, LABELS, LABELS).filter(lambda host: host != "index.docker.io"),
    st.builds("{}:{}".format, LABELS, st.integers(1, 65535)),
)
PARTS = st.from_regex(r"[a-z0-9]{1,5}((\.|_|__|-{1,3})[a-z0-9]{1,5}){0,2}", fullmatch=True)
REPOSITORIES = st.lists(PARTS, min_size=2, max_size=4).map("/".join)
TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True)
DIGESTS = st.from_regex(r"sha256:[0-9a-f]{64}", fullmatch=True)
REFERENCES = st.builds(
    Reference, registry=HOSTS, repository=REPOSITORIES, tag=st.none() | TAGS, digest=st.none() | DIGESTS
).filter(lambda reference: reference.tag is not None or reference.digest is not None)


@given(REFERENCES)
def test_what_was_written_is_parsed_to_the_same(reference: Reference) -> None:
    assert references.parse_reference(str(reference)) == reference


@given(st.text(max_size=80))
def test_any_text_is_a_reference_or_is_refused_in_one_line(text: str) -> None:
    try:
        parsed = references.parse_reference(text)
    except ValueError as error:
        message = str(error)
    else:
        message = str(parsed)
        assert references.parse_reference(message) == parsed
    assert message.isprintable()


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "digest"),
    [
        ("clock:1", "docker.io", "library/clock", "1", None),
        ("acme/clock:1", "docker.io", "acme/clock", "1", None),
        ("docker.io/clock:1", "docker.io", "library/clock", "1", None),
        ("index.docker.io/acme/clock:1", "docker.io", "acme/clock", "1", None),
        ("localhost/x:1", "localhost", "x", "1", None),
        ("localhost:5000/x:1", "localhost:5000", "x", "1", None),
        ("registry:5000/a/b/c:v1.2", "registry:5000", "a/b/c", "v1.2", None),
        ("GHCR.io/acme/clock:V1", "ghcr.io", "acme/clock", "V1", None),
        ("[::1]:5000/x:1", "[::1]:5000", "x", "1", None),
        (f"ghcr.io/a/b@sha256:{HEX}", "ghcr.io", "a/b", None, f"sha256:{HEX}"),
        (f"ghcr.io/a/b:1@sha256:{HEX}", "ghcr.io", "a/b", "1", f"sha256:{HEX}"),
    ],
)
def test_a_reference_has_these_parts(
    text: str, registry: str, repository: str, tag: str | None, digest: str | None
) -> None:
    expected = Reference(registry=registry, repository=repository, tag=tag, digest=digest)
    assert references.parse_reference(text) == expected


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "write for example ghcr.io/acme/clock:1.0"),
        ("ghcr.io/a b:1", "without spaces"),
        (" ghcr.io/a/b:1", "without spaces"),
        ("https://ghcr.io/a/b:1", "leave out everything up to"),
        ("oci://ghcr.io/a/b:1", "leave out everything up to"),
        ("ghcr.io/a/b", "write for example ghcr.io/a/b:1.0"),
        ("localhost:5000/x", "names neither a tag nor a digest"),
        ("ghcr.io/a/b:", "names neither a tag nor a digest"),
        ("ghcr.io/Acme/Clock:1", "write 'acme/clock'"),
        ("ghcr.io/a/b:-1", "has the tag '-1'"),
        ("ghcr.io/a//b:1", "has the repository 'a//b'"),
        ("ghcr.io/a/b@sha256:abc", "64 lower-case hexadecimal digits"),
        (f"ghcr.io/a/b@sha256:{HEX.upper()}", "64 lower-case hexadecimal digits"),
        (f"ghcr.io/a/b@sha512:{HEX}{HEX}", "after @ write sha256:"),
        ("ghcr.io/a/b:1@", "has no usable digest"),
        ("user:pass@ghcr.io/a/b:1", "has no usable digest"),
        ("host:99999/x:1", "has the registry 'host:99999'"),
        ("a_b.c/x:1", "has the registry 'a_b.c'"),
        ("[:::]/x:1", "has the registry '[:::]'"),
        (f"ghcr.io/{'a' * 255}:1", "is too long"),
    ],
)
def test_a_wrong_reference_is_told_what_to_write(text: str, advice: str) -> None:
    with pytest.raises(ValueError, match=re.escape(advice)):
        references.parse_reference(text)


@pytest.mark.parametrize("registry", ["localhost", "localhost:5000", "127.0.0.1:1", "127.9.9.9", "[::1]:5000", "[::1]"])
def test_these_registries_are_on_this_machine(registry: str) -> None:
    assert references.is_loopback(registry)


@pytest.mark.parametrize(
    "registry", ["docker.io", "localhost.example:5000", "128.0.0.1", "[::2]:5000", "10.0.0.1:5000"]
)
def test_these_registries_are_elsewhere(registry: str) -> None:
    assert not references.is_loopback(registry)
