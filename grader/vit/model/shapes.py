"""``check_vit.py``: the project's own copy is run in the worker; the submission's only compared."""

import numpy as np

from grader import shipped
from grader.checking import Criterion, Fail, Malformed, Missing, checks, warn
from grader.evidence import Evidence, Probe, Question
from grader.records import Warning_
from grader.vit.names import CLASSES

OWN = shipped.CHECK_VIT


def _ask(seen: Evidence, rng: np.random.Generator) -> Question:
    return Question({"source": OWN.read_text(encoding="utf-8"), "names": list(CLASSES)})


def check_vit_passes(seen: Evidence) -> None:
    """The project's own check_vit.py finds the right shapes in all seven classes."""
    absent = [name for name in CLASSES if not seen.has(name)]
    if absent:
        raise Missing(f"{', '.join(f'`{name}`' for name in absent)} not defined")
    lines = seen["shapes"].value
    if not isinstance(lines, list) or not all(_is_line(line) for line in lines):
        raise Malformed
    todo = [name for name, ok, words in lines if not ok and words.startswith("to do")]
    if todo:
        raise Missing(f"still to do: {', '.join(todo)}")
    wrong = [f"{name}: {words}" for name, ok, words in lines if not ok]
    if wrong or {name for name, _, _ in lines} != set(CLASSES):
        raise Fail(f"check_vit.py says {'; '.join(wrong)[:800]}", "Run `python check_vit.py` to see it yourself.")


def _is_line(line: object) -> bool:
    return isinstance(line, list) and len(line) == 3 and [type(part) for part in line] == [str, bool, str]


def modified(seen: Evidence) -> list[Warning_]:
    """The submission's own check_vit.py differs from the project's; it was not run."""
    theirs = seen.submission.files.get("check_vit.py")
    if theirs is None or theirs.read_bytes().split() == OWN.read_bytes().split():
        return []
    return warn("check_vit.modified", "check_vit.py in the submission was changed; the project's own copy was run")


PROBES = (Probe("shapes", "check_vit", _ask),)
CRITERIA = (Criterion("vit.shapes", checks(check_vit_passes)),)
WARNINGS = (modified,)
