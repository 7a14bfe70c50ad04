"""The real parts behind the host's ports, put together from a cache directory.

    CACHE/blobs     components, by digest        (`sources.cache`)
    CACHE/compiled  code for this machine        (`engine.compiler`)

Used by `__main__` and `cli.serve`, so that a pod and a machine without Kubernetes run the same code. It imports no
wasmtime: compiling and calling happen in processes of their own.
"""
