"""One component's life in this process: found, loaded, its tools registered, called, stopped.

`lifecycle` is the table of phases, `tools` decides which exported functions are served, `backoff` how long to wait
before trying again, `state` what a status says (all pure); `component` drives them through the ports and tells
`wasmoor_runtime.events`. It knows neither HTTP nor MCP nor wasmtime. Built by `__main__` and `cli`, asked by `mcp` and
`telemetry`.
"""
