"""The one HTTP connection pool to the API server, for plain dictionaries.

Credentials come from kubernetes' own loader (a service account in a pod, else a kubeconfig) and are refreshed by it;
its typed models are not used, they cost several times the processor and twice the memory. Every request has a
deadline. Faults come out as `ports.ApiFault`, with a message that holds no credential. Called by the other adapters.
"""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
import re
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Any

import aiohttp
from kubernetes.aio import client, config

from wasmoor_operator import ports, settings

FIELD_MANAGER = "wasmoor"
# With its parameter the body is sent as it is rendered here; without, the client would render it as JSON.
APPLY = "application/apply-patch+yaml; charset=utf-8"
JSON = "application/json"
# https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
# Bodies of errors are read for their message only.
ERROR_BYTES = 64 * 1024
MESSAGE_CHARACTERS = 1024
_ESCAPED = re.compile("[\x7f-\uffff]")
_LOST = "\\ufffd"


async def load_configuration(kubeconfig: pathlib.Path | None, values: settings.ApiServerSettings) -> Any:
    """Return a client configuration: the file named, else the pod's service account, else the user's kubeconfig.

    Raises:
        ConfigurationMissing: none of them is there or readable.
    """
    loader: Any = config
    configuration: Any = client.Configuration()
    configuration.retries = None  # the queue retries, with its own patience
    configuration.connection_pool_maxsize = values.connections
    try:
        if kubeconfig is None and os.environ.get("KUBERNETES_SERVICE_HOST"):
            loader.load_incluster_config(client_configuration=configuration)
        else:
            file = str(kubeconfig) if kubeconfig else None
            await loader.load_kube_config(config_file=file, client_configuration=configuration)
    except (config.ConfigException, OSError, ValueError, KeyError, TypeError) as error:
        where = f"the kubeconfig {kubeconfig}" if kubeconfig else "a kubeconfig"
        raise ports.ConfigurationMissing(f"no cluster to connect to: {where} could not be used: {error}") from error
    return configuration


class Connection:
    """Requests to one API server. `close` it when done."""

    def __init__(self, configuration: Any, values: settings.ApiServerSettings) -> None:
        self.configuration = configuration
        self._client: Any = client.ApiClient(configuration)
        self._client.user_agent = "wasmoor-operator"
        self._timeout = aiohttp.ClientTimeout(total=values.request_timeout, connect=values.connect_timeout)
        self._connect_timeout = values.connect_timeout

    async def close(self) -> None:
        """Close every connection."""
        await self._client.close()

    async def read(self, path: str, **query: str) -> dict[str, Any]:
        """GET one object or list."""
        return await self._request("GET", path, query)

    async def read_metadata(self, path: str, **query: str) -> dict[str, Any]:
        """GET a list with nothing but the metadata of its items."""
        return await self._request("GET", path, query, accept=METADATA)

    async def apply(self, path: str, manifest: Mapping[str, Any], *, force: bool = True) -> dict[str, Any]:
        """Server-side apply: what the manifest holds becomes ours, everything else stays whose it is."""
        query = {"fieldManager": FIELD_MANAGER, "force": "true" if force else "false", "fieldValidation": "Strict"}
        return await self._request("PATCH", path, query, render_yaml(manifest), APPLY)

    async def create(self, path: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """POST one object."""
        return await self._request("POST", path, {"fieldManager": FIELD_MANAGER}, manifest, "application/json")

    async def replace(self, path: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """PUT one object; with a resourceVersion inside it fails rather than undo another's write."""
        return await self._request("PUT", path, {"fieldManager": FIELD_MANAGER}, manifest, "application/json")

    async def delete(self, path: str, *, uid: str, resource_version: str | None = None) -> None:
        """DELETE exactly this object: another one of the same name is left alone."""
        conditions = {"uid": uid}
        if resource_version is not None:
            conditions["resourceVersion"] = resource_version
        options = {"propagationPolicy": "Background", "preconditions": conditions}
        await self._request("DELETE", path, {}, options, "application/json")

    async def watch(self, path: str, *, silence: float, **query: str) -> AsyncIterator[dict[str, Any]]:
        """Yield the events of one watch until the server ends it.

        Raises:
            ports.ApiFault: refused, broken, or silent for longer than `silence` seconds.
        """
        timeout = aiohttp.ClientTimeout(total=None, connect=self._connect_timeout, sock_read=silence)
        try:
            response = await self._send("GET", path, {"watch": "true", **query}, None, None, timeout)
            try:
                if response.status >= HTTPStatus.BAD_REQUEST:
                    raise await _read_fault(response, f"watch {path}")
                async for line in response.content:
                    if line.strip():
                        yield json.loads(line)
            finally:
                response.close()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise ports.ApiFault(0, type(error).__name__, f"watch {path}: {_describe(error)}") from error

    async def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Any = None,
        content_type: str | None = None,
        *,
        accept: str = JSON,
    ) -> dict[str, Any]:
        what = f"{method} {path}"
        try:
            response = await self._send(method, path, query, body, content_type, self._timeout, accept=accept)
            async with response:
                if response.status >= HTTPStatus.BAD_REQUEST:
                    raise await _read_fault(response, what)
                answer = json.loads(await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise ports.ApiFault(0, type(error).__name__, f"{what}: {_describe(error)}") from error
        if not isinstance(answer, dict):
            raise ports.ApiFault(0, "BadAnswer", f"{what}: the API server answered with no object")
        return answer

    async def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Any,
        content_type: str | None,
        timeout: aiohttp.ClientTimeout,
        *,
        accept: str = JSON,
    ) -> aiohttp.ClientResponse:
        """Send one request with fresh credentials. The body bypasses the typed client, which would copy it twice."""
        method, url, headers, _, _ = await self._client.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params={"Accept": accept},
            auth_settings=["BearerToken"],
        )
        if content_type is not None:
            headers["Content-Type"] = content_type
        sent = await self._client.rest_client.request(method, url, headers=headers, body=body, _request_timeout=timeout)
        response: aiohttp.ClientResponse = sent.response
        return response


def render_yaml(manifest: Mapping[str, Any]) -> str:
    r"""Return the manifest as JSON that is YAML as well, whatever its texts hold.

    JSON escapes a character beyond U+FFFF as two surrogates, which YAML refuses (YAML 1.2.2, section 5.7), and leaves
    characters as they are that YAML wants escaped (section 5.1). A half of such a pair is no character at all.
    """
    text = json.dumps(manifest, ensure_ascii=False)
    return _ESCAPED.sub(lambda found: _LOST if "\ud800" <= found[0] <= "\udfff" else f"\\u{ord(found[0]):04x}", text)


async def _read_fault(response: aiohttp.ClientResponse, what: str) -> ports.ApiFault:
    """Turn an error response into a fault; anything between us and the API server may have written it."""
    try:
        body = await asyncio.wait_for(response.content.read(ERROR_BYTES), 5)
        status = json.loads(body)
        reason, message = str(status.get("reason") or response.reason), str(status.get("message") or "")
    except (ValueError, AttributeError, aiohttp.ClientError, TimeoutError, OSError):
        reason, message = str(response.reason), ""
    retry_after = response.headers.get("Retry-After", "")
    return ports.ApiFault(
        response.status,
        reason,
        f"{what}: {(message or reason)[:MESSAGE_CHARACTERS]}",
        retry_after=float(retry_after) if retry_after.isdigit() else None,
    )


def _describe(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error)[:MESSAGE_CHARACTERS] or type(error).__name__
