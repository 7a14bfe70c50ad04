"""What a process says about itself, and to whom.

`logs` writes lines, `metrics` counts, `spans` traces, `sink` sends CloudEvents (`cloudevents` renders them, `lines` and
`redaction` decide what is said of an event), `admin` answers on a port of its own; `observers` puts them together. All
hear the events of `wasmoor_runtime.events`, and change nothing. Built by the composition roots.
"""
