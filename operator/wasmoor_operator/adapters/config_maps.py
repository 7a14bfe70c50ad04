"""Which version a ConfigMap has that a component is in: its metadata, never what it holds.

The API server is asked for the metadata of one name, which needs no more than the right to list ConfigMaps that the
operator has for its own. Called through `resolutions`.
"""

from __future__ import annotations

from http import HTTPStatus

from wasmoor_operator import errors, ports
from wasmoor_operator.adapters import cluster, connection
from wasmoor_operator.reasons import Reason
from wasmoor_runtime.contract.spec import ConfigMapSource

DELAY = 5.0


async def find_version(api: connection.Connection, namespace: str, source: ConfigMapSource) -> str:
    """Return the ConfigMap's resourceVersion.

    Raises:
        errors.Stalled: there is none of this name, or the operator may not see it.
        errors.Waiting: the API server does not say now.
    """
    path = cluster.render_path("ConfigMap", namespace)
    try:
        found = await api.read_metadata(path, fieldSelector=f"metadata.name={source.name}", limit="1")
    except ports.ApiFault as fault:
        if fault.status == HTTPStatus.FORBIDDEN:
            raise errors.Stalled(Reason.FORBIDDEN, fault.message) from fault
        text = f"the API server could not be asked about configmap/{source.name}: {fault.message}"
        raise errors.Waiting(Reason.SOURCE_UNAVAILABLE, text, delay=fault.retry_after or DELAY) from fault
    items = found.get("items") or ()
    if not items:
        create = f"kubectl create configmap {source.name} --namespace {namespace} --from-file={source.key}=FILE.wasm"
        text = f"the ConfigMap {source.name} is not there; create it, for example by {create}"
        raise errors.Stalled(Reason.ARTIFACT_NOT_FOUND, text)
    return str(items[0]["metadata"]["resourceVersion"])
