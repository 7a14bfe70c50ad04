"""Mirrors, locations and challenges: whom to ask, and with what."""

import pytest

from wasmoor_runtime.artifacts import challenges, locations, mirrors, references
from wasmoor_runtime.artifacts.challenges import Challenge


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://mirror:5000", "http://mirror:5000"),
        ("https://Mirror.example/", "https://mirror.example"),
        ("http://[::1]:5000", "http://[::1]:5000"),
    ],
)
def test_a_base_url_is_scheme_and_host(text: str, url: str) -> None:
    assert mirrors.parse_base_url(text) == url


@pytest.mark.parametrize(
    "text",
    ["", "mirror:5000", "ftp://mirror", "http://", "http://u:p@mirror", "http://m/path", "http://m?q", "http://m:x",
     "http://m:99999", "http://m:0", "http://[::1"],
)  # fmt: skip
def test_what_is_no_base_url_is_refused_without_showing_a_password(text: str) -> None:
    with pytest.raises(ValueError, match="write http://host:port") as caught:
        mirrors.parse_base_url(text)
    assert "u:p" not in str(caught.value)


def test_mirrors_are_found_by_the_registry_of_a_reference() -> None:
    found = mirrors.parse_mirrors(["ghcr.io=http://m:1", "docker.io=https://d"])
    assert mirrors.find_mirror(references.parse_reference("ghcr.io/a/b:1"), found) == "http://m:1"
    assert mirrors.find_mirror(references.parse_reference("clock:1"), found) == "https://d"
    assert mirrors.find_mirror(references.parse_reference("quay.io/a/b:1"), found) is None


@pytest.mark.parametrize("options", [["ghcr.io"], ["=http://m"], ["a/b=http://m"], ["a=http://m", "A=http://n"]])
def test_mirror_options_that_cannot_be_read_are_refused(options: list[str]) -> None:
    with pytest.raises(ValueError, match="write"):
        mirrors.parse_mirrors(options)


@pytest.mark.parametrize(
    ("text", "insecure", "mirror", "base"),
    [
        ("ghcr.io/a/b:1", False, None, "https://ghcr.io"),
        ("ghcr.io/a/b:1", True, None, "http://ghcr.io"),
        ("clock:1", False, None, "https://registry-1.docker.io"),
        ("localhost:5000/a:1", False, None, "http://localhost:5000"),
        ("ghcr.io/a/b:1", False, "http://m:5000", "http://m:5000"),
        ("ghcr.io/a/b:1", True, "https://m", "https://m"),
    ],
)
def test_a_reference_is_asked_for_there(text: str, insecure: bool, mirror: str | None, base: str) -> None:  # noqa: FBT001
    location = locations.locate(references.parse_reference(text), insecure=insecure, mirror=mirror)
    assert location.base == base


def test_the_urls_of_a_repository_are_those_of_the_protocol() -> None:
    location = locations.locate(references.parse_reference("ghcr.io/a/b:1"))
    assert location.host == "ghcr.io"
    assert location.manifest("1") == "https://ghcr.io/v2/a/b/manifests/1"
    assert location.blob("sha256:x") == "https://ghcr.io/v2/a/b/blobs/sha256:x"
    assert location.uploads() == "https://ghcr.io/v2/a/b/blobs/uploads/"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://r/a", "https://R:443/b", True),
        ("http://r/a", "http://r:80/b", True),
        ("https://r/a", "http://r/a", False),
        ("https://r/a", "https://r:444/a", False),
        ("https://r/a", "https://s/a", False),
        ("https://r/a", "https://r.evil/a", False),
        ("https://r/a", "https://r@evil/a", False),
        ("https://r/a", "/a", False),
        ("https://r/a", "https://r:x/a", False),
    ],
)
def test_credentials_belong_to_one_origin(one: str, other: str, same: bool) -> None:  # noqa: FBT001
    assert locations.is_same_origin(one, other) is same


@pytest.mark.parametrize(
    ("source", "target", "allowed"),
    [
        ("https://r", "https://s/x", True),
        ("http://r", "https://s/x", True),
        ("http://r", "http://s/x", True),
        ("https://r", "http://r/x", False),
        ("http://r", "file:///etc/passwd", False),
        ("http://r", "Registry Realm", False),
        ("http://r", "http://r:x/", False),
    ],
)
def test_nothing_leads_out_of_tls_or_http(source: str, target: str, allowed: bool) -> None:  # noqa: FBT001
    assert locations.may_follow(source, target) is allowed


@pytest.mark.parametrize(
    ("header", "challenge"),
    [
        ('Basic realm="Registry Realm"', Challenge(scheme="basic")),
        ("basic", Challenge(scheme="basic")),
        (
            'Bearer realm="https://auth.example/token",service="registry",scope="repository:a/b:pull,push"',
            Challenge(
                scheme="bearer",
                realm="https://auth.example/token",
                service="registry",
                scope="repository:a/b:pull,push",
            ),
        ),
        ("bearer Realm=https://a/t, service=s", Challenge(scheme="bearer", realm="https://a/t", service="s")),
        ('Bearer service="registry"', None),
        ("Negotiate", None),
        ("", None),
    ],
)
def test_a_challenge_is_read(header: str, challenge: Challenge | None) -> None:
    assert challenges.parse_challenge(header) == challenge
