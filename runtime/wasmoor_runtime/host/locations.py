"""Where a component comes from, as a URI for events. Pure."""

from __future__ import annotations

from wasmoor_runtime.contract import document


def describe_source(source: document.PinnedSource) -> tuple[str, str]:
    """Return the URI, without a query (it may hold a signature), and the kind of source."""
    match source:
        case document.PinnedOciSource():
            uri = f"oci://{source.reference}"
        case document.PinnedHttpSource():
            uri = source.url.partition("?")[0]
        case document.PinnedConfigMapSource():
            uri = f"configmap://{source.name}/{source.key}"
        case document.PinnedFileSource():
            uri = f"file://{source.path}"
    return uri, source.type
