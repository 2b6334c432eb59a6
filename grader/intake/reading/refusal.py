"""The two ways in which reading ends without a submission."""


class RefusalError(Exception):
    """A submission that cannot be opened (``rejected``), or something that is none."""

    def __init__(self, line: str, *, rejected: bool = True) -> None:
        super().__init__(line)
        self.rejected = rejected


def not_a_submission(line: str) -> RefusalError:
    """What the instructor named is no submission: nothing is graded."""
    return RefusalError(line, rejected=False)
