"""What components may import: one file each, with the three verbs of `engine.machine.Capability`.

`catalog` names all of them. A component without grants gets clocks, random numbers and streams that lead nowhere;
everything else answers with the error that the interface has for "not permitted".
"""
