"""The one error of the cluster tool: something a person can act on, told in one line.

It must not know any other module. Everything in `tests.cluster` raises it; `__main__` prints it.
"""


class ClusterError(Exception):
    """A failure with its three parts: what happened, where, and what to do about it."""

    def __init__(self, what: str, *, where: str, todo: str) -> None:
        super().__init__(f"{what} ({where}); {todo}")
        self.what = what
        self.where = where
        self.todo = todo
