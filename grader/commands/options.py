"""What the options of a command mean for grading; slow to import, and no parser needs it."""

import argparse
from dataclasses import fields
from typing import Any

from grader import finding
from grader.given import replaced
from grader.pipeline import Options


def grading_options(given: argparse.Namespace, **more: Any) -> Options:
    """How to grade, as the options of a command say that are called like the fields of ``Options``.

    Args:
        given: the parsed options.
        more: further fields of ``Options``.

    Raises:
        GraderError: there is no such assignment, or the given files are none of its.
    """
    assignment = finding.find(given.assignment)
    said = {field.name: getattr(given, field.name) for field in fields(Options) if hasattr(given, field.name)}
    files = None if given.given is None else replaced(given.given, assignment)
    return Options(**{**said, "assignment": assignment, "given": files, **more})
