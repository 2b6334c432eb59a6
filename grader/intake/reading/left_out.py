"""The files that are not graded though they hold names of the assignment: their author should hear of it."""

import ast
from collections.abc import Collection, Iterable, Iterator

from .choose import Choice
from .names import FUNCTIONS, bound
from .parsing import Statement, statements


def left_out(choice: Choice, found: Collection[str]) -> list[str]:
    """Return a line for each; ``found`` are the names whose definitions are graded."""
    lines = [*other_notebooks(choice, found), *modules(choice, found)]
    max_told = 5
    more = len(lines) - max_told + 1
    return lines if more < 2 else [*lines[:-more], f"{more} more files were left out, for the like reasons"]


def other_notebooks(choice: Choice, found: Collection[str]) -> Iterator[str]:
    yield from (f"{notebook} was left out, for it {why}" for notebook, why in choice.broken.items())
    code = [cell.source for cell in choice.cells]
    for other in choice.others:
        names = held(other.gathering.units[None].statements, choice, found)
        if names and [cell.source for cell in other.cells] != code:
            yield f"{other.notebook} was left out, for {choice.notebook} is graded; it defines {named_in_full(names, found)}"


def modules(choice: Choice, found: Collection[str]) -> Iterator[str]:
    texts, sources = choice.gathering.texts, choice.gathering.sources
    read = {texts[file][0] for file in sources.files.values()}
    for file, why in sources.left_out.items():
        text, place = texts[file]
        names = [] if text in read else held(statements(text, place, is_main=False)[0], choice, found)
        if names:
            yield f"{file} was left out, for {why}; it defines {named_in_full(names, found)}"


def held(code: Iterable[Statement], choice: Choice, found: Collection[str]) -> list[str]:
    """Return the wanted names that code defines, plain values only where they are found nowhere else."""
    names: dict[str, None] = {}
    for statement in code:
        here = bound([statement.node]) & set(choice.gathering.question.wanted)
        defines = isinstance(statement.node, (*FUNCTIONS, ast.ClassDef))
        names |= dict.fromkeys(sorted(here if defines else here - set(found)))
    return list(names)


def named_in_full(names: list[str], found: Collection[str]) -> str:
    """Quote names in a sentence, first those that are found nowhere else, which are all told."""
    lost = [name for name in names if name not in found]
    return listed([*lost, *(name for name in names if name in found)], max(4, len(lost) + 1))


def listed(names: list[str], max_told: int = 4) -> str:
    """Quote names in a sentence: "`a`, `b` and 3 more"."""
    quoted = [f"`{name}`" for name in names]
    if len(names) > max_told:
        quoted[max_told - 1 :] = [f"{len(names) - max_told + 1} more"]
    return " and ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))
