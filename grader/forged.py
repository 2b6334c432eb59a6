"""Answers that the grader's own code did not write: for a person to look at."""

from grader.evidence import Evidence
from grader.judging import warn
from grader.records import GradeWarning


def forged(evidence: Evidence) -> list[GradeWarning]:
    """An answer did not have the form that the worker's own code gives one."""
    found = {
        probe: answer.observation
        for probe, answer in evidence.answers.items()
        if answer.observation.outcome == "forged"
    }
    if not found:
        return []
    told = [f"{probe} ({why[:200]})" if (why := found[probe].misfit) else probe for probe in sorted(found)]
    return warn(
        "forged.observation",
        f"the answer to {', '.join(told)} was not written by the grader's own code: a person should look at this",
    )
