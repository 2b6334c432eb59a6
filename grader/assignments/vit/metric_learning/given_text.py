"""Whether the blocks that the course gives read as they were given."""

import contextlib
from collections.abc import Iterator

from grader.assignments.vit import blocks
from grader.evidence import Evidence
from grader.given.namespaces import Namespaces
from grader.given.unchanged import A_BLOCK, A_NUMBER, Replaced, changed_texts, replaced_names, unchanged_blocks
from grader.intake.reading.left_out import listed
from grader.judging import Fail, warn
from grader.records import GradeWarning

PROTECTED_HINT = "This block is protected: copy it back from the template."


def namespaces(evidence: Evidence) -> Namespaces:
    """What the names of the submission's modules stand for; parsed once."""
    found: Namespaces = evidence.once("namespaces", lambda: Namespaces(evidence.submission.program))
    return found


def left_unchanged(evidence: Evidence, *names: str) -> bool:
    """Whether the blocks stand there as they were given, and mean the same."""
    given = blocks.known(evidence.given).blocks
    found = evidence.once("blocks left alone", lambda: sorted(unchanged_blocks(namespaces(evidence), given)))
    return set(found).issuperset(names)


def changed(evidence: Evidence) -> list[str]:
    """The given blocks that read differently from every given text."""
    given = blocks.known(evidence.given).blocks
    program = evidence.submission.program
    found: list[str] = evidence.once("blocks changed", lambda: list(changed_texts(program, given)))
    return found


@contextlib.contextmanager
def cause_elsewhere(evidence: Evidence, name: str) -> Iterator[None]:
    """Where a block fails whose text is the given one, the hint names what was changed instead."""
    try:
        yield
    except Fail as fail:
        if name in changed(evidence) or not evidence.given.texts or "raised NameError" in fail.message:
            raise  # a name that is not there is replaced by nothing
        given = blocks.known(evidence.given).blocks
        replaced = replaced_names(namespaces(evidence), given, name)
        raise Fail(fail.message, f"`{name}` is unchanged, but {_cause(replaced)}") from None


def _cause(replaced: list[Replaced]) -> str:
    """What makes an unchanged block do something else, as the end of a sentence."""
    if not replaced:
        return (
            "other code replaces what it uses, as `torch.nonzero = …`, setattr or globals() can: look for that in "
            "your code and remove it."
        )
    first = replaced[0]
    if first.meant == A_BLOCK:
        way = f"`{first.by_way_of}`, and that calls " if first.by_way_of else ""
        return f"it calls {way}`{first.name}`, which was changed: correct `{first.name}`."
    if first.meant == A_NUMBER:
        return f"`{first.name}`, which it uses, is not a plain number: assign one to it."
    library, _, _ = first.meant.rpartition(".")
    whose = "Python's own" if library == "builtins" else f"`{first.meant}`"
    return f"`{first.name}`, which it uses, is no longer {whose}: give yours another name."


def unchanged(evidence: Evidence) -> None:
    """The protected blocks read as they were given, where the rubric demands it."""
    wrong = [name for name in changed(evidence) if name in blocks.PROTECTED]
    if evidence.rubric.strict and wrong:
        raise Fail(f"{listed(wrong, len(wrong))} {'was' if len(wrong) == 1 else 'were'} changed", PROTECTED_HINT)


def modified(evidence: Evidence) -> list[GradeWarning]:
    """A given block reads differently."""
    judged = [name for name in changed(evidence) if name in blocks.JUDGED]
    others = [name for name in changed(evidence) if name not in blocks.JUDGED]
    verdict = evidence.verdict("contrastive.protected").status
    said = []
    if judged and verdict not in ("missing", "blocked"):
        said.append(f"{_differs(judged)} (judged by behaviour, contrastive.protected is {verdict})")
    if others:
        said.append(f"{_differs(others)} (no criterion judges the training of the classifier)")
    return warn("protected.modified", "; ".join(said)) if said else []


def _differs(names: list[str]) -> str:
    return (
        f"the given {listed(names, len(names))} {'reads' if len(names) == 1 else 'read'} differently from the course's"
    )
