"""What follows from statements that cannot be parsed: words, a warning, and criteria that stay open.

A statement that only a newer Python parses is no mistake of its author's: what is missing for that reason is not
decided. Every other one costs what it defines.
"""

from collections.abc import Sequence
from dataclasses import replace

from grader.evidence import Evidence
from grader.missing import therefore
from grader.records import CheckResult, GradeWarning, Judgement, SyntaxProblem
from grader.sentences import number_of

UNWRITTEN = "which is still to be written"  # as checks say of a name that is not there
MAX_WARNINGS = 5  # a notebook of another language has one in every cell


def syntax_errors(evidence: Evidence) -> list[GradeWarning]:
    """Warn of every statement that cannot be parsed."""
    problems = evidence.submission.syntax_errors
    found = [GradeWarning("syntax.error", f"{problem}{consequence(problem)}") for problem in problems]
    more = len(found) - MAX_WARNINGS
    return (
        found
        if more < 1
        else [*found[:MAX_WARNINGS], GradeWarning("syntax.error", f"and {number_of(more, 'more statement')}")]
    )


def consequence(problem: SyntaxProblem) -> str:
    names = ", ".join(f"`{name}`" for name in problem.names[:MAX_WARNINGS])
    if not names:
        return "; this statement was left out"
    left = "was left out" if len(problem.names) == 1 else "were left out"
    return f"; {names} {left}" + (", and a person decides what needs it" if problem.python else "")


def explained(verdict: Judgement, evidence: Evidence) -> Judgement:
    """Say why a name is missing, and leave the criterion open where a newer Python would know the name."""
    problems = [problem for problem in evidence.submission.syntax_errors if missed(problem, verdict)]
    if verdict.status not in ("missing", "blocked", "failed") or not problems:
        return verdict
    first = next((problem for problem in problems if problem.python), problems[0])
    feedback = with_reason(verdict.feedback, first)
    results = tuple(explained_result(result, problems) for result in verdict.results)
    is_open = bool(first.python) and all(r.status != "failed" for r in results)
    return replace(verdict, status="error" if is_open else verdict.status, feedback=feedback, results=results)


def missed(problem: SyntaxProblem, verdict: Judgement) -> bool:
    said = [verdict.feedback, *(result.message for result in verdict.results)]
    return any(says_missing(text, problem) for text in said)


def says_missing(text: str, problem: SyntaxProblem) -> bool:
    """Tell whether a message says that a name is not there which the statement defines."""
    lost = [f"`{name}`" for name in problem.names]
    undefined = "not defined" in text and any(name in text for name in lost)
    undefined = undefined or any(f"{name}, {UNWRITTEN}" in text for name in lost)
    return undefined or any(f"there is no {name}" in text for name in lost) or f"because {problem}" in text


def with_reason(text: str, problem: SyntaxProblem) -> str:
    """The message with its cause, which comes first where that makes a sentence."""
    text = text.replace(f", {UNWRITTEN}", ", which is not defined")  # it is written, with a slip
    if str(problem) in text:
        return text
    return f"{text.rstrip('.')}: {problem}" if text.startswith("could not be judged") else therefore(str(problem), text)


def explained_result(result: CheckResult, problems: Sequence[SyntaxProblem]) -> CheckResult:
    problem = next((problem for problem in problems if says_missing(result.message, problem)), None)
    if result.status == "passed" or problem is None:
        return result
    status = "error" if problem.python else result.status
    return replace(result, status=status, message=with_reason(result.message, problem))
