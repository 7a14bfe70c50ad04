"""What an artifact in a registry is: its name, its digest, its manifest, its bytes' first words. All of it is pure.

`addresses` reads where a component is (a registry, a web server, a file), `references` names artifacts, `mirrors` and
`locations` say where they are asked for, `manifests` reads and `layouts` writes the documents that describe them,
`digests` and `preambles` check bytes, `challenges` reads what a registry asks for, and `refusals` says in one
sentence why an artifact cannot be had. The operator uses all of it too.
"""
