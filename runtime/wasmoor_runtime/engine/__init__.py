"""The only door to wasmtime.

`compiler` is the front's side: it keeps compiled code in a directory and starts `compile`, a short-lived process, for
what is not there; `inspector` starts `inspect` likewise. `machine`, `inspection`, `conversion` and `invocation` run in
zygotes and workers. `settings` and `binary` are pure, and the front may import them; wasmtime itself is never imported
by the front.
"""
