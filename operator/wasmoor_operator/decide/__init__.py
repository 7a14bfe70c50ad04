"""What to do about what was observed: pure functions from `model.Observed` to `model.Plan`.

Called by the controller alone; never reads a clock, a socket or a file.
"""
