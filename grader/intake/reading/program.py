"""A slice in the form of ``grader.records.Program``, as JSON takes it."""

from collections.abc import Collection
from typing import Any

from .callers import last_calls, leave_out_after_training
from .calls import call_steps
from .gather import Gathering
from .parsing import Statement


def gathered(gathering: Gathering, traced: str = "", silent: Collection[int] = ()) -> tuple[dict[str, Any], list[str]]:
    """Return the program as JSON takes it (see ``grader.records.Program``), and what was left out.

    Args:
        traced: the function whose last call is looked for, with what makes its arguments.
        silent: cells without outputs: a call in one of them counts only where no other has any.
    """
    if traced:
        leave_out_after_training(gathering, traced)
    gathering.gather()
    modules = {name: pieces_of(gathering, name) for name in sorted(gathering.included)}
    names = {}
    for name, (module, item) in gathering.defined().items():
        place = item.statement.place
        names[name] = {"file": place.file, "cell": place.cell, "line": item.statement.line, "module": module}
    program = {"main": pieces_of(gathering, None), "modules": modules, "names": names}
    program["call"] = traced_call(gathering, traced, silent)
    program["called"] = last_calls(gathering, sorted({*gathering.question.wanted, *gathering.question.provided}))
    program["undefined"] = gathering.undefined()
    files = [f"{file}: {why}; it is not graded" for file, why in gathering.sources.left_out.items()]
    return program, [*files, *gathering.problems, *gathering.reports()]


def pieces_of(gathering: Gathering, module: str | None) -> list[dict[str, object]]:
    unit = gathering.units[module]
    return [piece_of(item.statement, unit.postponed) for item in gathering.pieces(module)]


def piece_of(statement: Statement, postponed: bool) -> dict[str, object]:
    place = statement.place
    of_file = {"file": place.file, "cell": place.cell, "line": statement.line}
    return {"source": statement.source, **of_file, "postponed": postponed}


def traced_call(gathering: Gathering, function: str, silent: Collection[int]) -> list[dict[str, object]]:
    """Return the pieces that lead to the last call of a function; none where they cannot be found."""
    try:
        steps = call_steps(gathering, function, silent)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, MemoryError):
        return []  # a submission is graded without them, too
    postponed = {name: unit.postponed for name, unit in gathering.units.items()}
    return [{"module": step.module, **piece_of(step.statement, postponed[step.module])} for step in steps]
