"""The Model Context Protocol over HTTP: revision 2026-07-28 and the handshake revisions before it, on one path.

`server` answers for one component with the official SDK, `endpoint` guards and bounds the HTTP around it, `arguments`,
`results` and `pages` are the pure parts. It knows the host, and neither wasmtime nor registries. Built by `serving`.
"""
