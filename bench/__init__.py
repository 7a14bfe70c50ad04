"""Measures the runtime beside others, in the same minutes on the same machine: `make bench`.

`__main__` runs the rounds, `servers` starts what is measured, `load` asks it, `processes` looks at what that costs,
`direct` calls wasmtime without a server, and `table` prints. Only ratios of one run mean anything: machines differ, and
so do minutes.
"""
