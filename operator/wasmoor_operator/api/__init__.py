"""The two kinds of `wasmoor.dev/v1alpha1`: models, status models and the CRDs generated from them.

The models are the one source. Everything in the operator may import this; it imports the runtime's contract alone.
"""
