"""Which policy applies to a component, what it allows, and the contract that follows. Pure.

The operator and `wasmoor serve -f` both call this, so a manifest means the same with and without a cluster. Faults are
`wasmoor_runtime.errors.Stalled`: somebody has to change a manifest.
"""
