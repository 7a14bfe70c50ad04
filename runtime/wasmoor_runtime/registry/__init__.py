"""The one door to OCI registries: oras speaks the protocol, this package bounds it in time, bytes and trust.

`client` asks for manifests and blobs and pushes them, `resolution` finds what a reference names, `threads` runs either
without blocking an event loop; `authentication`, `transport`, `failures` and `aborts` are behind them
(the last three also under `sources.http`). Everything that can be
decided without a socket is in `artifacts`. Knows nothing of caches or of Kubernetes. Both processes ask registries, so
the operator uses this package too. Raises `artifacts.refusals.Refusal`.
"""
