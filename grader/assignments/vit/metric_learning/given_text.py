"""Whether the blocks that the course gives read as they were given."""

import contextlib
from collections.abc import Iterator

from grader.assignments.vit import blocks, untouched
from grader.evidence import Evidence
from grader.judging import Fail, Malformed, warn
from grader.records import Warning_

PROTECTED_HINT = "This block is protected: copy it back from the template."


def left_alone(seen: Evidence, *names: str) -> bool:
    """Whether the blocks stand there as they were given, and mean the same."""
    given = blocks.known(seen.given)
    alone = seen.once("blocks left alone", lambda: sorted(untouched.left_alone(seen.submission.program, given)))
    return set(alone).issuperset(names)


def changed(seen: Evidence) -> list[str]:
    """The given blocks that read differently from every given text."""
    given = blocks.known(seen.given)
    found: list[str] = seen.once("blocks changed", lambda: list(untouched.changed(seen.submission.program, given)))
    return found


@contextlib.contextmanager
def cause_elsewhere(seen: Evidence, name: str) -> Iterator[None]:
    """Where a block fails whose text is the given one, the hint names what was changed instead."""
    try:
        yield
    except Malformed:
        raise
    except Fail as fail:
        if name in changed(seen) or not seen.given.texts:
            raise
        others = untouched.other_meanings(seen.submission.program, blocks.known(seen.given), name)
        what = f"{_listed(others)} in it mean something else" if others else "the code replaces what it uses"
        raise Fail(fail.message, f"`{name}` itself reads as it was given: look for where {what}.") from None


def unchanged(seen: Evidence) -> None:
    """The protected blocks read as they were given, where the rubric demands it."""
    wrong = [name for name in changed(seen) if name in blocks.PROTECTED]
    if seen.rubric.strict and wrong:
        raise Fail(f"{_listed(wrong)} {'was' if len(wrong) == 1 else 'were'} changed", PROTECTED_HINT)


def modified(seen: Evidence) -> list[Warning_]:
    """A given block reads differently."""
    judged = [name for name in changed(seen) if name in blocks.JUDGED]
    others = [name for name in changed(seen) if name not in blocks.JUDGED]
    verdict = seen.verdict("contrastive.protected").status
    said = []
    if judged and verdict not in ("missing", "blocked"):
        said.append(f"{_differs(judged)} (judged by behaviour, contrastive.protected is {verdict})")
    if others:
        said.append(f"{_differs(others)} (no criterion judges the training of the classifier)")
    return warn("protected.modified", "; ".join(said)) if said else []


def _differs(names: list[str]) -> str:
    return f"the given {_listed(names)} {'reads' if len(names) == 1 else 'read'} differently from the course's"


def _listed(names: list[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(names) > 1 else quoted)


WARNINGS = (modified,)
