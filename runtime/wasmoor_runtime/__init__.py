"""The runtime of Wasmoor: pulls a WebAssembly component, compiles it and serves it as MCP tools.

Runs in pods (`python -m wasmoor_runtime --contract FILE`) and on a desk (`wasmoor serve -f DIR`). Knows nothing of
Kubernetes.
"""
