"""What a person reads when a registry cannot be asked at all."""

import pathlib
import socket

import pytest

from tests.integration.sources import certificates, misbehaving, registries
from wasmoor_runtime import errors
from wasmoor_runtime.sources import oci

pytestmark = pytest.mark.integration


async def refuse(reference: str, mirror: str) -> errors.Waiting:
    """Ask through a mirror, because loopback addresses are asked by plain HTTP otherwise."""
    with pytest.raises(errors.Waiting) as caught:
        await oci.resolve(f"registry.example/{reference}", mirror_urls={"registry.example": mirror})
    assert caught.value.reason == "RegistryUnavailable"
    assert caught.value.delay is not None
    return caught.value


async def test_a_registry_that_does_not_run() -> None:
    port = registries.find_free_port()
    fault = await refuse("a/b:1", f"http://127.0.0.1:{port}")
    assert f"127.0.0.1:{port} could not be asked for registry.example/a/b:1" in fault.message
    assert "refused the connection; check its port" in fault.message


async def test_a_registry_whose_name_nobody_knows() -> None:
    fault = await refuse("a/b:1", "http://registry.invalid")
    assert "has a name that cannot be resolved; check the spelling" in fault.message


async def test_a_certificate_that_is_not_trusted(tmp_path: pathlib.Path) -> None:
    with misbehaving.run_server(certificates.make_untrusted_context(tmp_path)) as server:
        fault = await refuse("a/b:1", f"https://{server.address}")
    assert "has a certificate that is not trusted here" in fault.message
    assert server.seen == []


async def test_a_registry_that_speaks_plain_http_where_tls_is_expected() -> None:
    with misbehaving.run_server() as server:
        fault = await refuse("a/b:1", f"https://{server.address}")
    assert "does not speak TLS; write `insecure: true`" in fault.message


async def test_a_registry_that_accepts_and_hangs_up() -> None:
    with misbehaving.run_server() as server:
        server.routes["HEAD", "/v2/a/b/manifests/1"] = hang_up
        fault = await refuse("a/b:1", f"http://{server.address}")
    assert "closed the connection" in fault.message


def hang_up(request: misbehaving.Request) -> None:
    request.connection.shutdown(socket.SHUT_RDWR)
    request.close_connection = True
