"""What the tests about registries share: a real one, a misbehaving one, a component's file, a cache."""

import pathlib
from collections.abc import Iterator

import pytest

from tests.integration.sources import misbehaving, registries
from wasmoor_runtime.sources import cache, oci

# An empty component: preamble only. Valid, and small.
EMPTY_COMPONENT = b"\0asm\x0d\x00\x01\x00"


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with registries.run_registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


@pytest.fixture
def server() -> Iterator[misbehaving.Server]:
    with misbehaving.run_server() as running:
        yield running


@pytest.fixture(scope="session")
def component_bytes() -> bytes:
    """A component of 2 MB: an empty one with a custom section of zeros."""
    size = 2 * 1024 * 1024
    return EMPTY_COMPONENT + b"\x00" + encode_leb128(size + 2) + b"\x01x" + bytes(size)


@pytest.fixture
def component(tmp_path: pathlib.Path, component_bytes: bytes) -> pathlib.Path:
    path = tmp_path / "component.wasm"
    path.write_bytes(component_bytes)
    return path


@pytest.fixture
def artifact(component_bytes: bytes) -> misbehaving.Artifact:
    return misbehaving.make_artifact(component_bytes)


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """The cache's folder."""
    return tmp_path / "cache"


@pytest.fixture
def fetcher(folder: pathlib.Path) -> oci.OciFetcher:
    return oci.OciFetcher(cache.Cache(folder))


def encode_leb128(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
