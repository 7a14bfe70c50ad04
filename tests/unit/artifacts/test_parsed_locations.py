"""Where a component is, as people write it."""

import pathlib

import pytest

from wasmoor_runtime.artifacts import addresses, references
from wasmoor_runtime.artifacts.addresses import FileAddress, HttpAddress, OciAddress

HASH = "a" * 64


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("oci://ghcr.io/a/b:1", OciAddress(reference=references.parse_reference("ghcr.io/a/b:1"))),
        ("OCI://ghcr.io/a/b:1", OciAddress(reference=references.parse_reference("ghcr.io/a/b:1"))),
        ("https://h.example/t.wasm", HttpAddress(url="https://h.example/t.wasm")),
        ("http://[::1]:80/t.wasm?a=b", HttpAddress(url="http://[::1]:80/t.wasm?a=b")),
        (f"https://h/t.wasm#sha256={HASH}", HttpAddress(url="https://h/t.wasm", sha256=HASH)),
        ("file:///srv/a%20b.wasm", FileAddress(path=pathlib.Path("/srv/a b.wasm"))),
        ("file://localhost/a.wasm", FileAddress(path=pathlib.Path("/a.wasm"))),
        ("./time.wasm", FileAddress(path=pathlib.Path("time.wasm"))),
        ("C:/time.wasm", FileAddress(path=pathlib.Path("C:/time.wasm"))),
    ],
)
def test_a_scheme_says_what_it_is_and_a_bare_path_is_a_file(text: str, expected: addresses.Address) -> None:
    assert addresses.parse_location(text) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "write a path, oci://"),
        ("s3://bucket/key", "s3:// is not known: write oci://, https://, http://, file:// or a path"),
        ("oci://ghcr.io/a/b", "names neither a tag nor a digest"),
        ("oci://https://ghcr.io/a/b:1", "is a URL, not a reference"),
        ("https://", "is no address"),
        ("https://h:99999/", "is no address"),
        ("https://h:0/", "is no address"),
        ("https://[::1/t.wasm", "is no address"),
        ("https://h/a b", "is no address"),
        ("https://h/\u0007", "is no address"),
        ("https://h/t.wasm#top", "another fragment than #sha256="),
        (f"https://h/t.wasm#sha256={HASH[1:]}", "another fragment than #sha256="),
        ("https://h/" + "x" * 3000, "at most 2048 characters"),
        ("file://other/t.wasm", "no file of this machine"),
        ("file:relative", ""),
    ],
)
def test_what_cannot_be_used_is_told_in_a_sentence(text: str, told: str) -> None:
    if not told:
        assert isinstance(addresses.parse_location(text), FileAddress)
        return
    with pytest.raises(ValueError, match=told):
        addresses.parse_location(text)


def test_a_password_is_refused_and_never_repeated() -> None:
    with pytest.raises(ValueError, match="holds a user or a password") as caught:
        addresses.parse_location("https://me:secret@h.example/t.wasm?token=secret")
    assert "secret" not in str(caught.value)


def test_a_query_is_sent_and_never_shown() -> None:
    address = addresses.parse_location("https://h/t.wasm?signature=secret")
    assert isinstance(address, HttpAddress)
    assert address.url.endswith("secret")
    assert str(address) == "https://h/t.wasm"
    assert "secret" not in repr(address)


@pytest.mark.parametrize(
    ("url", "protected"), [("https://h/x", True), ("http://h/x", False), ("http://127.0.0.1:1/x", True)]
)
def test_what_crosses_a_network_without_tls_is_not_protected(url: str, protected: bool) -> None:  # noqa: FBT001
    assert HttpAddress(url=url).is_protected is protected
