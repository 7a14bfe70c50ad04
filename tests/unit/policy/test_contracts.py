"""The contract that follows from a manifest."""

import pytest

from wasmoor_runtime import errors
from wasmoor_runtime.contract.document import (
    ComponentRef,
    Contract,
    PinnedConfigMapSource,
    PinnedFileSource,
    PinnedHttpSource,
    PinnedOciSource,
)
from wasmoor_runtime.contract.spec import (
    ConfigMapSource,
    Execution,
    FileSource,
    HttpSource,
    OciSource,
    SourceMember,
    Tools,
)
from wasmoor_runtime.policy import contracts, selection

DIGEST = "sha256:" + "a" * 64


def render(reference: str = "ghcr.io/a/b:1", pulls: contracts.PullSettings | None = None) -> Contract:
    return contracts.render_contract(
        component=ComponentRef(namespace="tools", name="time"),
        source=contracts.pin_source(OciSource(reference=reference, refresh="10m", insecure=True), DIGEST, pulls=pulls),
        policy=selection.Selection(),
        tools=Tools(include=("get-*",)),
        execution=Execution(timeout="1s"),
    )


def pin(reference: str = "ghcr.io/a/b:1", pulls: contracts.PullSettings | None = None) -> PinnedOciSource:
    source = render(reference, pulls).source
    assert isinstance(source, PinnedOciSource)
    return source


def test_a_contract_holds_what_the_pod_needs() -> None:
    contract = render()
    assert contract.source.digest == DIGEST
    assert pin().insecure is True
    assert contract.tools.include == ("get-*",)
    assert contract.limits.timeout_seconds == 1.0


def test_a_mirror_is_for_its_registry_alone() -> None:
    pulls = contracts.PullSettings(mirrors={"ghcr.io": "http://mirror:5000"}, max_bytes=10)
    assert pin("ghcr.io/a/b:1", pulls).mirror == "http://mirror:5000"
    assert pin("quay.io/a/b:1", pulls).mirror is None
    assert pin(pulls=pulls).max_bytes == 10


def test_the_registry_of_a_short_name_is_docker_hub() -> None:
    pulls = contracts.PullSettings(mirrors={"docker.io": "http://mirror:5000"})
    assert pin("team/time:1", pulls).mirror == "http://mirror:5000"


def test_what_is_no_reference_never_reaches_a_pod() -> None:
    with pytest.raises(errors.Stalled) as caught:
        render("no reference")
    assert caught.value.reason == "ReferenceInvalid"


def test_a_url_is_pinned_by_its_hash_alone() -> None:
    source = HttpSource(url="https://files.example/time.wasm?sig=1", sha256="b" * 64)
    pinned = contracts.pin_source(source, None)
    assert pinned == PinnedHttpSource(url=source.url, digest="sha256:" + "b" * 64)
    assert pinned.subject == "https://files.example/time.wasm"


def test_a_url_with_a_password_never_reaches_a_pod_nor_a_message() -> None:
    with pytest.raises(errors.Stalled) as caught:
        contracts.pin_source(HttpSource(url="https://me:secret@files.example/a.wasm", sha256="b" * 64), None)
    assert "leave them out" in caught.value.message
    assert "secret" not in caught.value.message


def test_a_config_map_is_named_by_its_version_and_a_file_by_its_path() -> None:
    pinned = contracts.pin_source(ConfigMapSource(name="time", key="a.wasm"), None, version="7")
    assert pinned == PinnedConfigMapSource(name="time", key="a.wasm", path="/etc/wasmoor-component/a.wasm", version="7")
    assert contracts.pin_source(FileSource(path="/a.wasm"), None) == PinnedFileSource(path="/a.wasm")


def test_a_relative_path_never_reaches_a_pod() -> None:
    with pytest.raises(errors.Stalled, match="is no absolute path: write for example"):
        contracts.pin_source(FileSource(path="time.wasm"), None)


@pytest.mark.parametrize(
    ("source", "digest"),
    [
        (FileSource(path="/a.wasm", sha256="c" * 64), "sha256:" + "c" * 64),
        (FileSource(path="/a.wasm"), None),
        (OciSource(reference=f"a/b@{DIGEST}"), None),
    ],
)
def test_only_a_manifest_knows_the_digest_of_its_file(source: SourceMember, digest: str | None) -> None:
    assert contracts.file_digest(source) == digest
