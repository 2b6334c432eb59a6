"""What the options of a command mean for grading; slow to import, and no parser needs it."""

import argparse
from typing import Any

from grader import finding
from grader.given import replaced
from grader.pipeline import Options


def grading_options(given: argparse.Namespace, **more: Any) -> Options:
    """How to grade, as ``--out``, ``--data``, ``--seed``, ``--rubric``, ``--given``, ``--assignment`` and
    ``--unconfined`` say.

    Args:
        given: the parsed options.
        more: further fields of ``Options``.

    Raises:
        GraderError: there is no such assignment, or the given files are none of its.
    """
    assignment = finding.find(given.assignment)
    return Options(
        data=given.data,
        out=given.out,
        seed=given.seed,
        rubric=given.rubric,
        assignment=assignment,
        given=None if given.given is None else replaced(given.given, assignment),
        unconfined=given.unconfined,
        **more,
    )
