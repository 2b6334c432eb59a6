"""Checks: pure functions from evidence to a verdict, and what becomes of one that cannot be answered.

A check is a function of ``Evidence`` whose docstring is the sentence that a student reads. When the
submission is right it returns None, or a remark that costs nothing; else it raises one of

    Fail      the submission is wrong: what was expected, what was seen, and a hint
    Missing   the thing to judge is not there
    Blocked   it cannot be judged because another criterion's part is missing or broken
    Undecided the grader did not get far enough to know: the points stay open until a person decides

It runs nothing and looks at nothing but the evidence.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from grader.errors import Unreadable
from grader.evidence import Evidence, Unanswered
from grader.missing import absence, defined_again, empty, is_to_do, meant, to_do, todo_words
from grader.raised import raised_hint, raised_words
from grader.records import CheckResult, CriterionStatus, GradeWarning, Judgement, Measurement, Observation
from grader.sentences import one_line, running, sentence
from grader.syntax_errors import explained
from grader.unavailable import why_lost


class Verdict(Exception):
    """What a check raises when it has not passed; anything else that it raises is an error of the grader's own."""


class Fail(Verdict):
    """The submission is wrong; ``measurement`` is that of a score below its threshold."""

    def __init__(self, message: str, hint: str = "", measurement: Measurement | None = None) -> None:
        super().__init__(message)
        self.message, self.hint, self.measurement = message, hint, measurement


class Skip(Verdict):
    """The check cannot be made because an earlier one of the same criterion failed."""


class Missing(Verdict):
    """What the check judges is not there; the message says what is to do."""


class Blocked(Verdict):
    """The check cannot be made because of another criterion."""

    def __init__(self, by: str, why: str) -> None:
        super().__init__(f"could not be judged because of {by}: {why}")
        self.by = by


class Undecided(Verdict):
    """The grader did not get far enough to judge; the message says why, and a person has to look."""


@dataclass(frozen=True)
class Check:
    """One thing that is demanded.

    Attributes:
        name: what reports and the rubric call it.
        sentence: what it demands, for students.
        function: the check itself.
        comes_after: names of checks of the same criterion; where one of them fails, this one makes no sense.
        about: the name of the criterion's that it looks at; empty where it is the first, or all.
    """

    name: str
    sentence: str
    function: Callable[[Evidence], str | None]
    comes_after: tuple[str, ...] = ()
    about: str = ""


@dataclass(frozen=True)
class Criterion:
    """What the rubric gives points for.

    Attributes:
        names: must all be defined, or the criterion is missing.
        needs: criteria that are judged before it: its checks may look at their verdicts.
        threshold: of the rubric, which its score is held against; empty where it has no score. The ``Fail`` of a score
            below it holds a ``Measurement``, or steps of the rubric give nothing for it.
    """

    id: str
    checks: tuple[Check, ...]
    names: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    threshold: str = ""


def sentences(criteria: Mapping[str, Criterion]) -> dict[str, dict[str, str]]:
    """What each check demands, by criterion and name, in the assignment's words."""
    return {ident: {check.name: check.sentence for check in criterion.checks} for ident, criterion in criteria.items()}


def checks(*functions: Callable[[Evidence], str | None]) -> tuple[Check, ...]:
    """Make checks of functions: the name from the function's, the sentence from its docstring, the order from
    ``after``, what it is about from ``about``.

    Raises:
        ValueError: a check comes after one that is not before it in the list.
    """
    found = tuple(
        Check(f.__name__, _sentence(f), f, getattr(f, "comes_after", ()), getattr(f, "about", "")) for f in functions
    )
    for number, check in enumerate(found):
        if strangers := set(check.comes_after) - {earlier.name for earlier in found[:number]}:
            raise ValueError(f"the check {check.name} comes after {', '.join(sorted(strangers))}: put it behind")
    return found


def _sentence(function: Callable[..., Any]) -> str:
    return " ".join((function.__doc__ or function.__name__).split("\n\n")[0].split())


Function = TypeVar("Function", bound=Callable[..., Any])


def after(*earlier: Callable[..., Any]) -> Callable[[Function], Function]:
    """Mark a check that makes no sense when another check of the same criterion fails; that one says why then."""

    def mark(function: Function) -> Function:
        function.comes_after = tuple(each.__name__ for each in earlier)  # type: ignore[attr-defined]
        return function

    return mark


def about(name: str) -> Callable[[Function], Function]:
    """Mark a check that looks at one of several names of its criterion: where it fails, that name's line is shown."""

    def mark(function: Function) -> Function:
        function.about = name  # type: ignore[attr-defined]
        return function

    return mark


UNDECIDED = (
    "this could not be decided, through an error of the grader's own: the points stay open until a person decides"
)
SEE_OTHER_CHECKS = "could not be looked at: see the other checks"


def judge_in_order(criteria: Iterable[str], evidence: Evidence) -> None:
    """Judge criteria, each after those that it needs, as far as they have no verdict yet."""
    for ident in criteria:
        criterion = evidence.assignment.criteria.get(ident)
        if criterion is not None and ident not in evidence.verdicts:
            judge_in_order(criterion.needs, evidence)
            piece = f"the judging of {ident}"
            attempt = partial(
                evidence.firewall.attempt, piece, partial(judge, criterion, evidence), undecided(criterion)
            )
            evidence.verdicts[ident] = evidence.reading.result(f"criterion {ident}", attempt)


def judge(criterion: Criterion, evidence: Evidence) -> Judgement:
    """Judge a criterion, and say of a name that is missing where its definition cannot be parsed."""
    ended: dict[str, Exception] = {}  # by check, what it raised
    try:
        judgement = _judge(criterion, evidence, ended)
        if judgement.status == "failed" and (why := empty(criterion.names, evidence)):
            judgement = _empty(judgement, why)
        return _in_lines(explained(judgement, evidence))
    finally:
        ended.clear()  # an exception holds the frames that it came through, and they hold this: no circle is left


def _in_lines(judgement: Judgement) -> Judgement:
    """Each text in one line: a name that a submission gives, to a class or to a weight, may hold several."""
    results = tuple(replace(r, message=one_line(r.message), hint=one_line(r.hint)) for r in judgement.results)
    return replace(judgement, feedback=one_line(judgement.feedback), results=results)


def _judge(criterion: Criterion, evidence: Evidence, ended: dict[str, Exception]) -> Judgement:
    """Run a criterion's checks; what one of them raises that is no verdict costs that check alone."""
    if evidence["load"].observation.outcome == "fault":
        return undecided(criterion, f"the grader could not load this: {evidence['load'].observation.detail}")
    absent = [name for name in criterion.names if not evidence.has(name)]
    refusal = (
        "The library is installed here, and the sandbox does not let submissions use it: the points stay open until a "
        "person decides"
    )
    if absent and evidence["load"].observation.outcome in ("value", "unasked"):
        refused = [why for name in absent if (why := why_lost(evidence, name))]
        if len(refused) == len(absent):
            return undecided(criterion, f"{absence(absent, evidence)}. {refusal}")
        return _missing(criterion, absence(absent, evidence))
    results: list[CheckResult] = []
    told: set[str] = set()
    remarks: list[str] = []
    for check in criterion.checks:
        try:
            remark = _run(check, evidence, ended)
            results.append(CheckResult(check.name, "passed", remark or check.sentence))
            remarks += [remark] if remark else []
        except Fail as fail:
            results.append(CheckResult(check.name, "failed", fail.message, fail.hint, fail.measurement))
        except Skip:
            results.append(CheckResult(check.name, "skipped", SEE_OTHER_CHECKS))
        except Missing as missing:
            return _missing(criterion, meant(str(missing), evidence))
        except Blocked as blocked:
            results += [CheckResult(c.name, "skipped", str(blocked)) for c in criterion.checks[len(results) :]]
            if any(result.status in ("failed", "error") for result in results):
                break
            return Judgement("blocked", str(blocked), tuple(results), blocked.by)
        except Unanswered as unanswered:
            if is_to_do(unanswered.observation):
                if why_lost(evidence, unanswered.observation.detail):
                    return undecided(criterion, f"{todo_words(unanswered.observation)}. {refusal}")
                return _missing(criterion, to_do(unanswered.observation, evidence))
            results.append(_unanswered(check, unanswered, told, evidence["load"].observation))
        except Undecided as undecided_:
            results.append(CheckResult(check.name, "error", str(undecided_)))
        except Unreadable:
            raise
        except Exception as error:  # a fault of ours must never look like the student's
            evidence.firewall.note(f"the check {criterion.id}/{check.name}", error)
            results.append(CheckResult(check.name, "error", UNDECIDED))
    results = _opened(_of_the_last(criterion, results, evidence), evidence)
    return Judgement(_status(results), _feedback(results, remarks), tuple(results))


def _run(check: Check, evidence: Evidence, ended: dict[str, Exception]) -> str | None:
    """Run a check, or end it as one that it comes after has ended."""
    try:
        for earlier in (ended[name] for name in check.comes_after if name in ended):
            raise Skip if isinstance(earlier, Fail | Skip) else earlier
        remark = check.function(evidence)
        if not isinstance(remark, str | None):
            raise TypeError(f"it returned {remark!r}: a check returns nothing or a remark, and raises Fail")
        return remark
    except Exception as error:
        ended[check.name] = error
        raise


def undecided(criterion: Criterion, why: str = UNDECIDED) -> Judgement:
    """The verdict on a criterion of which nothing is decided."""
    return Judgement("error", why, tuple(CheckResult(check.name, "error", why) for check in criterion.checks))


def _opened(results: list[CheckResult], evidence: Evidence) -> list[CheckResult]:
    """Leave open what nothing was looked at for, where a question was not answered through no fault of the submission's."""
    statuses = {result.status for result in results}
    if "skipped" not in statuses or statuses & {"failed", "error"}:
        return results
    if all(answer.observation.outcome != "fault" for answer in evidence.answers.values()):
        return results
    why = "the grader did not get an answer that this rests on: the points stay open until a person decides"
    return [CheckResult(r.name, "error", why) if r.status == "skipped" else r for r in results]


def _of_the_last(criterion: Criterion, results: list[CheckResult], evidence: Evidence) -> list[CheckResult]:
    """Say where something failed that another definition of its name stands before the one that was judged."""
    about = {check.name: (check.about,) if check.about else criterion.names for check in criterion.checks}
    told = [(r, defined_again(about[r.name], evidence) if r.status == "failed" else "") for r in results]
    return [replace(r, hint=f"{r.hint} {words}".strip()) if words else r for r, words in told]


def _empty(judgement: Judgement, why: str) -> Judgement:
    """The verdict on what has no body: whatever its checks met comes from that."""
    first, *others = judgement.results
    skipped = (replace(result, status="skipped", message=SEE_OTHER_CHECKS, hint="") for result in others)
    return replace(judgement, feedback=why, results=(replace(first, status="failed", message=why, hint=""), *skipped))


def _missing(criterion: Criterion, why: str) -> Judgement:
    return Judgement("missing", why, tuple(CheckResult(check.name, "skipped", why) for check in criterion.checks))


def _unanswered(check: Check, unanswered: Unanswered, told: set[str], load: Observation) -> CheckResult:
    observation = unanswered.observation
    if observation.outcome == "unasked" and load.outcome not in ("value", "unasked"):
        observation = load  # nothing was asked of a submission whose definitions could not be executed
    if observation.outcome == "fault":
        return CheckResult(check.name, "error", f"this could not be decided: {observation.detail}")
    if observation.outcome == "unasked" or unanswered.probe in told:
        return CheckResult(check.name, "skipped", SEE_OTHER_CHECKS)
    told.add(unanswered.probe)
    advice = "Does your code replace functions of torch, NumPy or the grader, or write to file descriptors? Leave them as they are."
    endless = "Is there a loop that never ends, or one in Python over what tensors do at once?"
    hints = {"forged": advice, "timeout": endless}
    hint = hints.get(observation.outcome) or raised_hint(observation.raised)
    return CheckResult(check.name, "failed", observed_words(observation), hint)


def observed_words(observation: Observation) -> str:
    """Say in words what happened instead of an answer; of an exception, in which function of the student's it began."""
    if observation.raised is not None:
        function = next((frame.function for frame in observation.raised.frames[:1]), "")
        subject = f"`{function}` " if function.isidentifier() else ""
        return f"{subject}{raised_words(observation.raised)}"
    return observation.detail


def _status(results: list[CheckResult]) -> CriterionStatus:
    statuses = {result.status for result in results}
    if "failed" in statuses:
        return "failed"
    if "error" in statuses:
        return "error"
    return "failed" if "skipped" in statuses else "passed"  # only forged answers leave nothing to look at


def _feedback(results: list[CheckResult], remarks: list[str]) -> str:
    said = [result for result in results if result.status in ("failed", "error")]
    if said:
        first = {met(result.message): result for result in reversed(said)}  # what two checks met is said once
        return running(sentence(result.message, result.hint) for result in said if first[met(result.message)] is result)
    if all(result.status == "passed" for result in results):
        return " ".join(remarks) or "as it should be"
    gaps = " and ".join(result.name for result in results if result.status == "skipped")
    return f"{gaps} could not be judged: the answer is incomplete"


def met(message: str) -> str:
    """What a message tells of: where it is an exception, that and its line alone, whatever sizes it was met with."""
    words, line, place = message.partition(" raised ")[2].partition(", line ")
    return "".join(each for each in words if not each.isdigit()) + line + place or message


def warn(code: str, message: str) -> list[GradeWarning]:
    """One warning, as a list for the functions that return lists."""
    return [GradeWarning(code, message)]
