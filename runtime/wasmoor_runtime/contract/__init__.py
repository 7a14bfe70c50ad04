"""What passes between operator and pod, and nothing else does.

`spec` holds the parts of a manifest that reach the pod; `document` the contract the operator writes and the pod reads;
`status` what the pod answers on `/status`; `quantities` the spelling of sizes and times. All of it is pure.
"""
