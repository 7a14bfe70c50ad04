"""WIT types as plain values, what they look like as JSON Schema, and how JSON becomes a value and back.

Pure: it must not know wasmtime, processes or MCP. `engine` turns a component's types into `types`, `workers` convert
arguments and results with `values`, and the schemas of `schema` are what clients see. `names` gives tools their names,
`docs` reads descriptions that a component carries.
"""
