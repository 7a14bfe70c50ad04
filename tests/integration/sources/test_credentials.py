"""Real registries that want to know who asks: by password, and by token."""

import pathlib
from collections.abc import Iterator

import pytest

from tests.integration.sources import misbehaving, registries, tokens
from wasmoor_runtime import errors
from wasmoor_runtime.contract.document import PinnedOciSource
from wasmoor_runtime.registry.authentication import Credentials
from wasmoor_runtime.sources import cache, oci, push

pytestmark = pytest.mark.integration

ALI = Credentials(username="ali", password="open sesame")
STRANGER = Credentials(username="ali", password="guess")
# bcrypt of ALI's password.
PASSWORDS = "ali:$2b$05$Ip8Ukfn9.TcipRMqNTfcye4ZNfmsEE6bwGs2OXAjg2RY0ygWN96Z.\n"


@pytest.fixture
def password_registry(tmp_path: pathlib.Path) -> Iterator[str]:
    file = tmp_path / "htpasswd"
    file.write_text(PASSWORDS)
    with registries.run_registry(
        tmp_path, authentication={"htpasswd": {"realm": "tests", "path": str(file)}}
    ) as address:
        yield address


@pytest.fixture
def token_registry(tmp_path: pathlib.Path, server: misbehaving.Server) -> Iterator[str]:
    service = tokens.TokenService(server, tmp_path)
    with registries.run_registry(tmp_path, authentication=service.authentication) as address:
        yield address


async def test_a_registry_with_passwords_serves_whom_it_knows(
    password_registry: str, component: pathlib.Path, folder: pathlib.Path
) -> None:
    reference = f"{password_registry}/demo/private:1"
    pushed = await push.push(component, reference, credentials=ALI)
    fetcher = oci.OciFetcher(cache.Cache(folder), find_credentials=lambda _: ALI)
    blob = await fetcher.fetch(PinnedOciSource(reference=reference, digest=pushed.digest))
    assert blob.digest == pushed.layer_digest


async def test_a_registry_with_passwords_says_what_is_missing(password_registry: str, component: pathlib.Path) -> None:
    with pytest.raises(errors.Stalled) as unknown:
        await oci.resolve(f"{password_registry}/demo/private:1")
    with pytest.raises(errors.Stalled) as refused:
        await push.push(component, f"{password_registry}/demo/private:1", credentials=STRANGER)
    assert unknown.value.reason == "CredentialsMissing"
    assert refused.value.reason == "CredentialsForbidden"
    assert "guess" not in str(refused.value)


async def test_a_token_for_pulling_is_exchanged_for_one_that_pushes(
    token_registry: str, component: pathlib.Path, fetcher: oci.OciFetcher
) -> None:
    reference = f"{token_registry}/demo/clock:1"
    pushed = await push.push(component, reference, credentials=ALI)
    assert (await oci.resolve(reference)).digest == pushed.digest
    blob = await fetcher.fetch(PinnedOciSource(reference=reference, digest=pushed.digest))
    assert blob.digest == pushed.layer_digest


async def test_a_token_service_refuses_a_wrong_password_and_a_stranger_who_pushes(
    token_registry: str, component: pathlib.Path
) -> None:
    with pytest.raises(errors.Stalled) as refused:
        await push.push(component, f"{token_registry}/demo/clock:1", credentials=STRANGER)
    with pytest.raises(errors.Stalled) as unknown:
        await push.push(component, f"{token_registry}/demo/clock:1")
    assert refused.value.reason == "CredentialsForbidden"
    assert unknown.value.reason == "CredentialsMissing"
