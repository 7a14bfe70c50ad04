"""Where components come from: a registry, through a cache on this machine's disk; and the way into a registry.

`oci` fetches pinned artifacts (it fills `ports.Fetcher`) and resolves references, `cache` keeps what was fetched,
`push` pushes a file. Chosen by `__main__` and `cli`.
"""
