"""The processes that run calls.

    front (asyncio)  pool ── generation ──control── zygote ──fork── worker, worker, …
                              └───────── one shared SOCK_SEQPACKET socket ─────────┘

The front never runs wasm. A zygote (a fresh interpreter) has the component loaded and forks single-threaded workers.
All of them are blocked in `recv` on one shared socket, so the kernel hands each call to whoever is free. A call that
must end is answered at once and its worker is killed by the zygote, its parent; another is forked in milliseconds. So
no call hangs, no neighbour notices, and guests run without interruption checks.

`pool` admits, queues and times calls; `generation` is the front's handle on one zygote; `zygote` and `worker` are those
processes; `frames` and `slots` are what passes between them; `sizing` decides how many workers there should be.
"""
