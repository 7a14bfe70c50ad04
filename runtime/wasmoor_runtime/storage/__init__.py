"""The cache directory as a whole: what is in it, who uses what, and what has to go when it is full.

`holds` marks files as used by a process, across processes; `space` lists files and removes those used longest ago.
Knows nothing of what the files mean: `sources.cache` keeps components here, `engine.compiler` compiled code.
"""
