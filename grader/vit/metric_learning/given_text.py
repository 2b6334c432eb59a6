"""Whether the blocks that the course gives read as they were given."""

from grader.checking import Fail, warn
from grader.evidence import Evidence
from grader.records import Warning_
from grader.vit import blocks, namespaces

PROTECTED_HINT = "This block is protected: copy it back from the template."


def left_alone(seen: Evidence, *names: str) -> bool:
    """Whether the blocks stand there as they were given, and mean the same."""
    given = blocks.known(seen.given)
    alone = seen.once("blocks left alone", lambda: sorted(namespaces.left_alone(seen.submission.program, given)))
    return set(alone).issuperset(names)


def changed(seen: Evidence) -> list[str]:
    """The given blocks that read differently from every given text."""
    given = blocks.known(seen.given)
    found: list[str] = seen.once("blocks changed", lambda: list(namespaces.changed(seen.submission.program, given)))
    return found


def unchanged(seen: Evidence) -> None:
    """The protected blocks read as they were given, where the rubric demands it."""
    wrong = [f"`{name}`" for name in changed(seen) if name in blocks.PROTECTED]
    if seen.rubric.strict and wrong:
        raise Fail(f"{' and '.join(wrong)} {'was' if len(wrong) == 1 else 'were'} changed", PROTECTED_HINT)


def modified(seen: Evidence) -> list[Warning_]:
    """A given block reads differently."""
    judged = [name for name in changed(seen) if name in blocks.JUDGED]
    others = [name for name in changed(seen) if name not in blocks.JUDGED]
    verdict = seen.judge("contrastive.protected").status
    said = []
    if judged and verdict not in ("missing", "blocked"):
        said.append(f"{_differs(judged)} (judged by behaviour, contrastive.protected is {verdict})")
    if others:
        said.append(f"{_differs(others)} (no criterion judges the training of the classifier)")
    return warn("protected.modified", "; ".join(said)) if said else []


def _differs(names: list[str]) -> str:
    listed = " and ".join(f"`{name}`" for name in names)
    return f"the given {listed} {'reads' if len(names) == 1 else 'read'} differently from the course's"


WARNINGS = (modified,)
