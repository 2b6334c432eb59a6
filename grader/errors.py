"""What can go wrong on the grader's side, as opposed to a student's mistake, which is a verdict."""


class GraderError(Exception):
    """One line for stderr: the path first, what was expected, what was seen, what was done about it."""


class Rejected(GraderError):
    """A submission that cannot be opened: it gets 0 points, and this line is the reason."""


class NoSubmission(GraderError):
    """What lies there is nothing that could be graded: a folder of lecture notes."""
