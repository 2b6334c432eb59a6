"""What other systems take: grades in their formats, and their grade sheets filled in.

Each format is a module that turns results into text and knows nothing of the others; ``command`` is
``grade.py export``, and ``FORMATS`` are those that need nothing but grades.
"""

import json
from collections.abc import Callable, Sequence

from grader.exports import annotations, classroom50, gradescope, junit, markdown
from grader.exports.result import Result
from grader.reports import record

Writer = Callable[[Sequence[Result]], str]


def as_json(results: Sequence[Result]) -> str:
    """The grades in the shape of ``grade.schema.json``: one as an object, several as a list."""
    return record.text([result.grade for result in results])


def _each(make: Callable[[Result], dict]) -> Writer:
    def text(results: Sequence[Result]) -> str:
        whole = [make(result) for result in results]
        return json.dumps(whole[0] if len(whole) == 1 else whole, indent=2, allow_nan=False) + "\n"

    return text


FORMATS: dict[str, Writer] = {
    "json": as_json,
    "md": markdown.summary,
    "junit": junit.report,
    "github": annotations.commands,
    "gradescope": _each(gradescope.results),
    "classroom50": _each(classroom50.result),
}
ONE_EACH = {"gradescope": "results.json", "classroom50": "result.json"}  # of one submission; the reader's file name
