"""Which of the names that are judged use a helper, or a number, that is not judged itself."""

import itertools
from collections.abc import Collection

from grader import syntax
from grader.intake.reading.names import bound, uses
from grader.records import Program


def users(program: Program, name: str, judged: Collection[str]) -> set[str]:
    """The judged names that a change of one name reaches first.

    Args:
        program: what of a submission is graded.
        name: what is changed.
        judged: the names that are looked for. What uses one of them is not followed: that one is judged itself.
    """
    using = _using(program)
    reached, pending = {name}, [name]
    while pending:
        current = pending.pop()
        if current not in judged:
            found = using.get(current, set()) - reached
            reached |= found
            pending += found
    return reached & set(judged)


def _using(program: Program) -> dict[str, set[str]]:
    """Each name that is looked up, and the names whose statements do so."""
    found: dict[str, set[str]] = {}
    for piece in itertools.chain(program.main, *program.modules.values()):
        for statement in syntax.parse(piece.source).body:
            looked_up = uses(statement)
            for chain in looked_up.now | looked_up.later:
                found.setdefault(chain.partition(".")[0], set()).update(bound([statement]))
    return found
