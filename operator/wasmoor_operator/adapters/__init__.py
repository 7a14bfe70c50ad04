"""The doors to everything outside the process: one module for each foreign thing, each filling a port.

`connection` speaks HTTP to the API server; `stores` hold what it said; `informers` keep the stores fresh; `cluster`
reads the stores and writes; `pods` asks pods; `registry` asks OCI registries; `events` records Kubernetes Events;
`leases` elects a leader; `health` answers about this process; `metrics` counts.
"""
