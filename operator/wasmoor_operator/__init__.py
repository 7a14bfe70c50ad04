"""The operator of Wasmoor: makes the pods that serve WebAssembly components, and says how far each is.

Knows nothing of WebAssembly itself: of the runtime it uses the contract, the artifact formats and the policy
arithmetic only.
"""
