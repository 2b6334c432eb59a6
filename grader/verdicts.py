"""From the checks of a criterion to its verdict, and what becomes of a check that cannot be answered."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from grader.errors import Unreadable
from grader.evidence import Evidence, Unanswered
from grader.judging import Blocked, Check, Criterion, Fail, Missing, Skip, Undecided
from grader.missing import absence, defined_again, empty, is_to_do, meant, to_do, todo_words
from grader.raised import met, raised_hint, raised_words
from grader.records import CheckResult, CriterionStatus, Judgement, Observation
from grader.sentences import one_line, running, sentence
from grader.syntax_errors import explained
from grader.unavailable import why_lost

UNDECIDED = (
    "this could not be decided, through an error of the grader's own: the points stay open until a person decides"
)
REFUSED = (
    "The library is installed here, and the sandbox does not let submissions use it: the points stay open until a "
    "person decides"
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
    if (without_checks := _not_there(criterion, evidence)) is not None:
        return without_checks
    results: list[CheckResult] = []
    remarks: list[str] = []
    told: set[str] = set()
    try:
        for check in criterion.checks:
            result, remark = _checked(check, criterion, evidence, ended, told)
            results.append(result)
            remarks += [remark] if remark else []
    except Missing as missing:
        return _missing(criterion, meant(str(missing), evidence))
    except Unanswered as unanswered:
        return _to_do(criterion, unanswered.observation, evidence)
    except Blocked as blocked:
        results += [CheckResult(check.name, "skipped", str(blocked)) for check in criterion.checks[len(results) :]]
        if all(result.status not in ("failed", "error") for result in results):
            return Judgement("blocked", str(blocked), tuple(results), blocked.by)
    results = _opened(_of_the_last(criterion, results, evidence), evidence)
    return Judgement(_status(results), _feedback(results, remarks), tuple(results))


def _not_there(criterion: Criterion, evidence: Evidence) -> Judgement | None:
    """The verdict where the submission could not be loaded, or where a name of the criterion is missing."""
    load = evidence["load"].observation
    if load.outcome == "fault":
        return undecided(criterion, f"the grader could not load this: {load.detail}")
    absent = [name for name in criterion.names if not evidence.has(name)]
    if not absent or load.outcome not in ("value", "unasked"):
        return None
    if all(why_lost(evidence, name) for name in absent):
        return undecided(criterion, f"{absence(absent, evidence)}. {REFUSED}")
    return _missing(criterion, absence(absent, evidence))


def _to_do(criterion: Criterion, observation: Observation, evidence: Evidence) -> Judgement:
    """The verdict on what is still to be written, or what the grader refused to load."""
    if why_lost(evidence, observation.detail):
        return undecided(criterion, f"{todo_words(observation)}. {REFUSED}")
    return _missing(criterion, to_do(observation, evidence))


def _checked(
    check: Check, criterion: Criterion, evidence: Evidence, ended: dict[str, Exception], told: set[str]
) -> tuple[CheckResult, str]:
    """What a check says, and its remark.

    Raises:
        Missing, Blocked, Unanswered: what ends the whole criterion.
        Unreadable: the kept observation cannot be read.
    """
    try:
        remark = _run(check, evidence, ended) or ""
        return CheckResult(check.name, "passed", remark or check.sentence), remark
    except Fail as fail:
        return CheckResult(check.name, "failed", fail.message, fail.hint, fail.measurement), ""
    except Skip:
        return CheckResult(check.name, "skipped", SEE_OTHER_CHECKS), ""
    except Unanswered as unanswered:
        if is_to_do(unanswered.observation):
            raise
        return _unanswered(check, unanswered, told, evidence["load"].observation), ""
    except Undecided as undecided_:
        return CheckResult(check.name, "error", str(undecided_)), ""
    except (Missing, Blocked, Unreadable):
        raise
    except Exception as error:  # a fault of ours must never look like the student's
        evidence.firewall.note(f"the check {criterion.id}/{check.name}", error)
        return CheckResult(check.name, "error", UNDECIDED), ""


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
