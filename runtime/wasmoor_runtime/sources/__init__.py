"""Where components come from, through a cache on this machine's disk; and the way into a registry.

`fetching` brings what a contract names (it fills `ports.Fetcher`): from a registry (`oci`), a web server (`http`), a
file or a mounted ConfigMap (`files`). `pinning` finds out what exactly is meant where there is no operator, with what
tags named (`names`). `cache` keeps what was fetched, `push` pushes a file. Chosen by `__main__` and `cli`.
"""
