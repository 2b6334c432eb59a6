"""Slips that the text explains: a name or a method that is spelled otherwise, an empty body, code below a ``raise`` left in.

Each is a line among a submission's problems: what it is about, a colon, and the words for its author. What it is about
is a name in quotes or a place in brackets.
"""

import ast
from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches

from .gather import Gathering
from .names import FUNCTIONS, bound, walk
from .parsing import Broken, Statement, as_text, first_line
from .work import is_gap, raises_todo


def slips(gathering: Gathering, broken: Collection[Broken]) -> list[str]:
    """Return a line for each slip in what is asked for."""
    defined = gathering.defined()
    unread = {name for each in broken for name in each.names}
    lines = list(renamed(gathering, sorted(set(gathering.question.wanted) - defined.keys() - unread)))
    for name, (module, item) in defined.items():
        lines += misspelled_method(name, item.statement)
        lines += forward_outside(name, item.statement, gathering)
        if not gathering.units[module].changers.get(name):  # nothing is added to it
            lines += empty(name, item.statement)
        lines += raise_left_in(item.statement)
        lines += defined_before(name, item.statement, gathering.units[module].statements)
    return lines


def renamed(gathering: Gathering, names: list[str]) -> Iterator[str]:
    """Name, for each name that is not there, the definition with the name that is most like it."""
    others = {name: statement for name, statement in own_names(gathering) if name not in gathering.question.wanted}
    by_letters = {letters(name): name for name in others}
    min_similarity, short = 0.75, 5  # names with fewer letters must be the same but for case and underscores
    classes_and_functions = {each for each, name in by_letters.items() if not is_assignment(others[name].node)}
    for name in names:
        alike = min_similarity if len(letters(name)) >= short else 1.0
        possible = classes_and_functions if name[0].isupper() else by_letters  # a class is seldom a value
        parts = [found for found in sorted(possible) if same_parts(by_letters[found], name)]
        for found in parts[:1] or get_close_matches(letters(name), possible, 1, alike):
            other = by_letters[found]
            where = place(others[other], others[other].node)
            yield f"{name!r}: {where} defines `{other}`: is it this one under another name?"


def is_assignment(node: ast.AST) -> bool:
    return isinstance(node, (ast.Assign, ast.AnnAssign))


def letters(name: str) -> str:
    return name.replace("_", "").lower()


def same_parts(other: str, name: str) -> bool:
    """Whether a name has the parts of another in another order, or its first ones alone, and these are not few."""
    theirs, ours = other.lower().split("_"), name.lower().split("_")
    return sorted(theirs) == sorted(ours) or (len(theirs) > 1 and theirs == ours[: len(theirs)])


def own_names(gathering: Gathering) -> Iterator[tuple[str, Statement]]:
    """Yield what the files define, imports aside."""
    for unit in gathering.units.values():
        for statement in unit.statements:
            if isinstance(statement.node, (*FUNCTIONS, ast.ClassDef)) or is_assignment(statement.node):
                yield from ((name, statement) for name in sorted(bound([statement.node])))


def misspelled_method(name: str, statement: Statement) -> Iterator[str]:
    """Find the method that is most like ``forward`` in a class that has none."""
    body = statement.node.body if isinstance(statement.node, ast.ClassDef) else []
    methods = {each.name: each for each in body if isinstance(each, FUNCTIONS)}
    min_similarity = 0.7
    if "forward" not in methods:
        by_case = {method.lower(): method for method in methods}
        for found in get_close_matches("forward", by_case, 1, min_similarity):
            where = place(statement, methods[by_case[found]])
            yield f"{name!r}: there is a `{by_case[found]}` in `{name}` ({where}): is it misspelled?"


def forward_outside(name: str, statement: Statement, gathering: Gathering) -> Iterator[str]:
    """Find the ``forward`` that is indented otherwise than the methods of a class that has none."""
    node = statement.node
    if not isinstance(node, ast.ClassDef) or defines_forward(node.body):
        return
    for inner in (part for method in node.body if isinstance(method, FUNCTIONS) for part in method.body):
        if defines_forward([inner]):
            yield f"{name!r}: there is a `forward` inside another method ({place(statement, inner)}): indent it as far as `__init__`"
    after = [
        other for _, other in own_names(gathering) if other.place == statement.place and other.line > statement.line
    ]
    if after and defines_forward([after[0].node]):
        where = place(after[0], after[0].node)
        yield f"{name!r}: there is a `forward` behind the class ({where}): indent it as far as `__init__`"


def defines_forward(body: Iterable[ast.AST]) -> bool:
    return any(isinstance(part, FUNCTIONS) and part.name == "forward" for part in body)


def empty(name: str, statement: Statement) -> Iterator[str]:
    """Find what has a head alone: a function, a class that inherits nothing, or one of the two methods that each module has."""
    node = statement.node
    if isinstance(node, FUNCTIONS) and is_gap(node.body):
        yield f"{name!r}: still to do ({place(statement, node)}): the body of `{name}` is empty"
    if not isinstance(node, ast.ClassDef):
        return
    if is_gap(node.body) and all(as_text(base).rpartition(".")[2] in ("Module", "object") for base in node.bases):
        yield f"{name!r}: still to do ({place(statement, node)}): the class `{name}` is empty"
    methods = {each.name: each for each in node.body if isinstance(each, FUNCTIONS)}  # the last of a name
    for method in (methods[name] for name in ("__init__", "forward") if name in methods):
        if is_gap(method.body):
            yield f"{name!r}: still to do ({place(statement, method)}): the body of `{method.name}` in `{name}` is empty"


def defined_before(name: str, last: Statement, statements: Iterable[Statement]) -> Iterator[str]:
    """Find a definition that another one of the same name replaces, as a cell with a draft does that nobody ran."""
    written = ast.dump(last.node)
    for each in statements:
        node = each.node
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or node.name != name or is_gap(node.body):
            continue
        if each is not last and ast.dump(node) != written:
            earlier, counts = place(each, node), place(last, last.node)
            yield f"{name!r}: The last definition counts: `{name}` stands in {earlier}, and again in {counts}"
            return


def raise_left_in(statement: Statement) -> Iterator[str]:
    """Find the first ``raise NotImplementedError`` with statements below it that would be the answer."""
    for node in walk(statement.node):
        for block in blocks(node):
            for number, each in enumerate(block):
                if raises_todo(each) and not is_gap(block[number + 1 :]):
                    yield f"({place(statement, each)}): the code below this raise is never executed: delete the raise"
                    return


def blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for part in ("body", "orelse", "finalbody"):
        if isinstance(block := getattr(node, part, None), list):  # a lambda's body is an expression
            yield block


def place(statement: Statement, node: ast.stmt) -> str:
    """Say where a part of a statement stands."""
    is_inner = statement.source.startswith("if True:\n") and not isinstance(statement.node, ast.If)
    line = statement.line + is_inner + node.lineno - first_line(statement.node)
    where = statement.place
    return f"{where.file}, line {line}" if where.cell is None else f"{where.file}, cell {where.cell}, line {line}"
