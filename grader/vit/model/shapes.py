"""``check_vit.py``: its cases are put to the submission's classes; a copy in the submission is only compared."""

import ast
from typing import Any

import numpy as np

from grader import shipped, syntax
from grader.checking import Criterion, Fail, Malformed, Missing, checks, warn
from grader.confinement.evidence import raised_from
from grader.evidence import Evidence, Probe, Question
from grader.records import Warning_
from grader.vit.names import CLASSES

OWN = shipped.CHECK_VIT
Case = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]  # arguments, shape put in, shape expected


def cases(source: str) -> dict[str, list[Case]]:
    """Read the table of cases in the text of ``check_vit.py``, which imports torch, without executing it."""
    tables = [node for node in syntax.parse(source).body if isinstance(node, ast.AnnAssign) and node.value is not None]
    (table,) = [n.value for n in tables if n.value and isinstance(n.target, ast.Name) and n.target.id == "CASES"]
    found: dict[str, list[Case]] = ast.literal_eval(table)
    return found


def _ask(seen: Evidence, rng: np.random.Generator) -> Question:
    known = cases(OWN.read_text(encoding="utf-8"))
    asked = {name: [[list(arguments), list(given)] for arguments, given, _ in known[name]] for name in CLASSES}
    return Question({"cases": asked}, known)


def check_vit_passes(seen: Evidence) -> None:
    """The seven classes give the shapes that the project's own check_vit.py expects."""
    absent = [name for name in CLASSES if not seen.has(name)]
    if absent:
        raise Missing(f"{', '.join(f'`{name}`' for name in absent)} not defined")
    answers, known = seen["shapes"].value, seen["shapes"].known
    if not isinstance(answers, dict) or answers.keys() != set(CLASSES):
        raise Malformed
    wrong = {name: _first_problem(name, answers[name], known[name]) for name in CLASSES}
    if todo := [name for name, words in wrong.items() if words.startswith("to do")]:
        raise Missing(f"still to do: {', '.join(todo)}")
    if said := [f"{name}: {words}" for name, words in wrong.items() if words]:
        raise Fail(f"check_vit.py says {'; '.join(said)[:800]}", "Run `python check_vit.py` to see it yourself.")


def _first_problem(name: str, answers: Any, known: list[Case]) -> str:
    if not isinstance(answers, list) or len(answers) != len(known):
        raise Malformed
    return next(filter(None, (_problem(name, *pair) for pair in zip(answers, known, strict=True))), "")


def _problem(name: str, answer: Any, case: Case) -> str:
    """What is wrong with one case, in the words of ``check_vit.py``; empty when nothing is."""
    arguments, given, expected = case
    call = f"{name}{arguments} on {given}".replace(",)", ")")
    if not isinstance(answer, dict) or len(answer) != 1:
        raise Malformed
    ((kind, fact),) = answer.items()
    if kind == "raised" and (raised := raised_from(fact)) is not None:
        if "NotImplementedError" in raised.bases:
            return "to do"
        return f"wrong: {call} raised {raised.type}: {raised.message.partition(chr(10))[0]}"
    if kind == "type" and isinstance(fact, str):
        return f"wrong: {call}: expected a tensor of shape {expected}, got {fact}"
    if kind != "shape" or not isinstance(fact, list) or any(type(size) is not int for size in fact):
        raise Malformed
    return "" if tuple(fact) == expected else f"wrong: {call}: expected output shape {expected}, got {tuple(fact)}"


def modified(seen: Evidence) -> list[Warning_]:
    """The submission's own check_vit.py differs from the project's; it was not used."""
    theirs = seen.submission.files.get("check_vit.py")
    if theirs is None or theirs.read_bytes().split() == OWN.read_bytes().split():
        return []
    return warn("check_vit.modified", "check_vit.py in the submission was changed; the project's own was used")


PROBES = (Probe("shapes", "shapes", _ask),)
CRITERIA = (Criterion("vit.shapes", checks(check_vit_passes)),)
WARNINGS = (modified,)
