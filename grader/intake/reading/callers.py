"""Which functions of a submission are called by which, and where a notebook comes to call one last."""

import ast
from collections.abc import Iterable

from .effects import SHOWING_FUNCTIONS
from .gather import Gathering
from .names import bound, evaluated, looked_up, root, walk
from .parsing import Statement

Bodies = list[tuple[str, set[str]]]  # functions, each with the names that its body calls


def last_calls(gathering: Gathering, names: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Return the cell and line of the notebook's last statement that comes to call each of some functions.

    A function may be called by others in turn, by another name, or by one that it is handed to; those that no statement
    of the notebook comes to are left out.
    """
    statements = gathering.units[None].statements
    bodies = called_in_bodies(gathering) + [pair for each in statements for pair in other_names(each.node)]
    calling = [(called_names([each.node]), each) for each in statements]
    handing = [(handed_on(each.node), each) for each in statements]
    found = {}
    for name in names:
        leading = leading_to(name, bodies)
        last = last_of(calling, leading) or last_of(handing, leading)
        if last is not None:
            found[name] = last.place.cell or 0, last.line
    return found


def leave_out_after_training(gathering: Gathering, training: str) -> None:
    """Leave out what puts other values in the place of those that the trainings of a notebook were done with.

    As ``Net = Net(...)`` in a last cell, ``tfm_train = tfm_test`` for pictures, ``num_epochs = 1`` for a trial.

    Args:
        training: the function without whose call nothing is known of the order in which a notebook trains.
    """
    places = last_calls(gathering, {*gathering.question.never_called, training})
    if training not in places:
        return
    unit, last = gathering.units[None], max(places.values())
    for item in unit.items:
        statement, names = item.statement, item.binds
        later = (statement.place.cell or 0, statement.line) > last
        if later and isinstance(statement.node, ast.Assign) and names and names <= set(gathering.question.wanted):
            makers = [unit.binders[name][0] for name in names]
            if all(maker.index < item.index and not maker.reason for maker in makers):
                item.reason = "it comes after the last training"


def last_of(found: list[tuple[set[str], Statement]], names: set[str]) -> Statement | None:
    return next((statement for those, statement in reversed(found) if those & names), None)


def called_in_bodies(gathering: Gathering) -> Bodies:
    """Return the functions of a submission, each with the names that its body calls."""
    return [(node.name, called_names(node.body)) for unit in gathering.units.values() for node in unit.functions()]


def leading_to(function: str, bodies: Iterable[tuple[str, set[str]]]) -> set[str]:
    """Return a function and those that come to call it, of functions with the names that their bodies call."""
    leading = {function}
    while new := {name for name, called in bodies if called & leading} - leading:
        leading |= new
    return leading


def called_names(nodes: Iterable[ast.AST]) -> set[str]:
    """The last names of what is called when statements are evaluated: ``train`` of ``module.train()``."""
    calls = (node for statement in nodes for node in evaluated(statement) if isinstance(node, ast.Call))
    return {name for call in calls if (name := name_of(call.func))}


def name_of(function: ast.expr) -> str | None:
    """Return the last name of what is called; of ``TASKS["train"]`` the first, of ``globals()["train"]`` the text."""
    if isinstance(function, ast.Attribute):
        return function.attr
    return looked_up(function) or root(function)


def other_names(statement: ast.AST) -> Bodies:
    """Return the names that a statement binds to functions, or to what holds them, each with what they may stand for.

    ``run = train``, ``TASKS = {"embedding": train}``, ``partial(train, data)``, ``for part in (prepare, train):``.
    """
    found: Bodies = []
    for node in evaluated(statement):
        if isinstance(node, ast.Assign):
            targets, value = bound(node.targets), node.value
        elif isinstance(node, ast.For):
            targets, value = bound([node.target]), node.iter
        else:
            continue
        called = called_names([value])
        meant = {each.id for each in walk(value) if isinstance(each, ast.Name)} - called
        found += [(name, meant) for name in targets if meant]
    return found


def handed_on(statement: ast.AST) -> set[str]:
    """Return the names that a statement hands to functions which may call them."""
    calls = [node for node in evaluated(statement) if isinstance(node, ast.Call)]
    given = [arg for call in calls if name_of(call.func) not in SHOWING_FUNCTIONS for arg in call.args]
    return {arg.id for arg in given if isinstance(arg, ast.Name)}
