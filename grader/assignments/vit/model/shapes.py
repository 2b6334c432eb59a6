"""``check_vit.py``: its cases are put to the submission's classes; a copy in the submission is only compared.

A given ``check_vit.py`` without a table ``CASES`` is only compared as well: the project's own cases are asked.
"""

import ast
from collections.abc import Mapping
from typing import Any

import numpy as np

from grader import syntax
from grader.assignment import Topic
from grader.assignments.vit import blocks, files
from grader.assignments.vit.names import CLASSES
from grader.errors import GraderError
from grader.evidence import Evidence, Probe, Question
from grader.judging import Criterion, Fail, Missing, checks, warn
from grader.missing import why_not_added
from grader.observations import RaisedResult
from grader.raised import lacks_forward, met, place
from grader.records import GradeWarning
from grader.sentences import type_words
from grader.torchkit.modules import lines
from grader.torchkit.modules.answers import CaseResult, NoTensor, ShapeResult
from grader.torchkit.modules.asking import normal

TO_DO = "to do"  # what ``check_vit.py`` says of a class that is not written
Case = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]  # arguments, shape put in, shape expected


def cases(source: str) -> dict[str, list[Case]]:
    """Read the table of cases in the text of ``check_vit.py``, which imports torch, without executing it.

    Raises:
        ValueError: the table is not one of plain values.
    """
    assigned = (node for node in syntax.parse(source).body if isinstance(node, ast.Assign | ast.AnnAssign))
    targets = ((node.targets[0] if isinstance(node, ast.Assign) else node.target, node.value) for node in assigned)
    tables = [value for target, value in targets if isinstance(target, ast.Name) and target.id == "CASES"]
    return ast.literal_eval(tables[0]) if tables and tables[0] is not None else {}


def _given_cases(texts: Mapping[str, str]) -> dict[str, list[Case]]:
    """The cases of the given ``check_vit.py``, the project's own where that has none."""
    return cases(texts.get(blocks.CHECK_VIT, "")) or cases(files.CHECK_VIT.read_text(encoding="utf-8"))


def check_given(texts: Mapping[str, str], where: str) -> None:
    """Refuse a given ``check_vit.py`` whose cases cannot be asked.

    Raises:
        GraderError: what is wrong with them.
    """
    try:
        found = _given_cases(texts)
        missing = [name for name in CLASSES if not found.get(name)]
        wrong = [name for name in CLASSES for case in found.get(name, []) if not _is_case(case)]
    except (ValueError, TypeError, SyntaxError, AttributeError, RecursionError, MemoryError) as error:
        raise GraderError(f"{where}: {blocks.CHECK_VIT}: CASES cannot be read: {error}; nothing was graded") from None
    if missing or wrong:
        raise GraderError(
            f"{where}: {blocks.CHECK_VIT}: expected CASES to hold a list of (arguments, shape put in, shape expected) "
            f"for each class; look at {', '.join(missing or wrong)}; nothing was graded"
        )


def _is_case(case: Any) -> bool:
    parts = case if isinstance(case, tuple) else ()
    numbers = [isinstance(part, tuple) and all(type(number) is int for number in part) for part in parts]
    return len(numbers) == 3 and all(numbers) and all(parts[1:])


def _ask(evidence: Evidence, rng: np.random.Generator) -> Question:
    """The table's cases, and for each class one of them with a batch of another size, whose items lie on a line."""
    table = _given_cases(evidence.given.texts)
    asked: dict[str, list[list[Any]]] = {}
    known: dict[str, Any] = {}
    other_batch_sizes = (4, 15)  # of a batch that is drawn, the ends of its line left out; the upper number too
    for name in CLASSES:
        line = lines.places(rng, int(rng.integers(*other_batch_sizes)))
        other = _of_batch_size(name, table[name][int(rng.integers(len(table[name])))], len(line))
        inputs = lines.points(rng, normal(rng, *other[1][1:]), line)
        known[name] = {"cases": [*table[name], other], "line": line}
        asked[name] = [
            *([list(arguments), list(given)] for arguments, given, _ in table[name]),
            [list(other[0]), inputs],
        ]
    return Question({"cases": asked}, known)


def _of_batch_size(name: str, case: Case, size: int) -> Case:
    arguments, given, expected = case
    axes = 2 if name == "ResidualAttentionBlock" else 1  # as many images as tokens: either axis may be the batch's
    return arguments, (size,) * axes + given[axes:], (size,) * axes + expected[axes:]


def check_vit_passes(evidence: Evidence) -> None:
    """The seven classes give the shapes that the project's own check_vit.py expects."""
    results: dict[str, list[CaseResult]] = evidence["shapes"].value
    known = evidence["shapes"].known
    problems = {
        name: [_problem(name, *pair) for pair in zip(results[name], known[name]["cases"], strict=True)]
        for name in CLASSES
    }
    wrong = {name: next(filter(None, found[:-1]), "") for name, found in problems.items()}
    if todo := [name for name, words in wrong.items() if words == TO_DO]:
        why = next(filter(None, (why_not_added(name, evidence) for name in todo)), "")
        raise Missing(f"still to do: {', '.join(todo)}{why}")
    if said := _each_once(wrong):
        raise Fail(f"check_vit.py says {_first_of(said)}", "Run `python check_vit.py` to see it yourself.")
    other = [found[-1] for found in problems.values() if found[-1]]
    # check_vit.py has one batch size for one of the classes, so a fixed size in it passes; answers that were recorded
    # fit next to none of the sizes drawn for another grade.
    max_with_one_batch_size = 1
    if len(other) > max_with_one_batch_size:
        raise Fail(
            f"for batches of other sizes than those of check_vit.py: {_first_of(other)}",
            "Is the size of the batch hard-coded? Take it from the input: x.shape[0].",
        )
    _expect_computed([_off_line(results[name][-1], known[name]["line"]) for name in CLASSES])


def _each_once(wrong: dict[str, str]) -> list[str]:
    """The problems; where several classes raise the same, as one that uses another does, the first class's alone."""
    of_kind: dict[str, list[str]] = {}
    for name in filter(wrong.__getitem__, wrong):
        of_kind.setdefault(met(wrong[name]), []).append(name)
    said = []
    for first, *others in of_kind.values():
        same = f"; {' and '.join(others)} {'raise' if len(others) > 1 else 'raises'} the same" if others else ""
        said.append(f"{first}: {wrong[first]}{same}")
    return said


def _first_of(problems: list[str]) -> str:
    """As many problems as are read at once, and how many more there are."""
    shown = 4
    more = [f"and {len(problems) - shown} more"] if len(problems) > shown else []
    return "; ".join([*problems[:shown], *more])


def _problem(name: str, result: CaseResult, case: Case) -> str:
    """What is wrong with one case, in the words of ``check_vit.py``; empty when nothing is."""
    arguments, given, expected = case
    call = f"{name}{arguments} on {given}".replace(",)", ")")
    match result:
        case RaisedResult(exception=raised):
            if raised.is_to_do and lacks_forward(raised) in ("", name):
                return TO_DO
            line = raised.message.partition("\n")[0].rstrip(".")
            at = f" at {place(raised.frames[-1])}" if raised.frames else ""
            return f"wrong: {call} raised {raised.type}{': ' if line else ''}{line}{at}"
        case NoTensor(type=kind):
            return f"wrong: {call}: expected a tensor of shape {expected}, got {type_words(kind)}"
        case ShapeResult(shape=shape) if shape != expected:
            return f"wrong: {call}: expected output shape {expected}, got {shape}"
    return ""


def _off_line(result: CaseResult, line: np.ndarray) -> float | None:
    """How far outputs for the points of a line are from theirs; None where there are none, or all are the same."""
    values = result.values if isinstance(result, ShapeResult) else None
    if values is None or values.dtype.kind != "f" or not np.isfinite(values).all():
        return None
    if not values.size or values.shape[:1] != line.shape:
        return None
    return lines.off_line(values, line)


def _expect_computed(off: list[float | None]) -> None:
    """Fail where outputs vary, and those of no class follow the inputs: right shapes alone are not computed."""
    varying = [each for each in off if each is not None]
    max_telling_nothing = 2  # classes whose outputs do not follow their inputs: each may have a fault of its own
    if len(varying) > max_telling_nothing and not min(varying) <= lines.MAX_OFF:
        raise Fail(
            "the outputs have the right shapes, but none of the classes seems to compute them from its input: they do "
            "not follow small changes of it",
            "Compute each output from the input, without random numbers.",
        )


def modified(evidence: Evidence) -> list[GradeWarning]:
    """The submission's check_vit.py is a changed copy of the given one; it was not used."""
    theirs = evidence.submission.files.get(blocks.CHECK_VIT)
    if (
        theirs is None
        or not theirs.is_file()
        or not _is_changed_copy(theirs.read_text("utf-8", "replace"), blocks.known(evidence.given))
    ):
        return []
    return warn("check_vit.modified", "check_vit.py in the submission was changed; the given one was used")


def _is_changed_copy(text: str, given: blocks.Given) -> bool:
    """Whether a text differs from the given check_vit.py and yet is made of it: another course's own is no copy."""
    try:
        tree = syntax.parse(text)
        same = blocks.digest(tree) == given.check_vit
    except blocks.UNREADABLE:
        return any(f"def {name}(" in text for name in given.check_vit_names)
    return not same and bool(given.check_vit_names & set(blocks.defined(tree)))


TOPIC = Topic(
    probes=(Probe("shapes", "shapes", _ask),),
    criteria=(Criterion("vit.shapes", checks(check_vit_passes), CLASSES),),
    warnings=(modified,),
)
