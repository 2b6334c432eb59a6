"""Tell which newer Python could parse a statement that this one cannot: a small process of its own.

Started as a script by ``newer.py``, with a list of texts a line on stdin and an answer a line on stdout. LibCST's
grammar says whether a text is Python at all. Then what came with newer versions is replaced by something that
means the same to older parsers, version by version, until this Python parses the text: that version it needs.
"""

import ast
import contextlib
import json
import sys
from collections.abc import Sequence
from typing import TypeVar, cast

import libcst as cst

VERSIONS = ("3.12", "3.13", "3.14")


Definition = TypeVar("Definition", cst.FunctionDef, cst.ClassDef)
Handler = TypeVar("Handler", cst.ExceptHandler, cst.ExceptStarHandler)


class Older(cst.CSTTransformer):
    """Replaces what came with Python 3.12 up to a version."""

    def __init__(self, version: str) -> None:
        super().__init__()
        self.known = VERSIONS[: VERSIONS.index(version) + 1]

    def visit_TypeAlias(self, node: cst.TypeAlias) -> bool:  # noqa: N802
        return False  # what takes its place has no parameters

    def leave_TypeAlias(  # noqa: N802
        self, original_node: cst.TypeAlias, updated_node: cst.TypeAlias
    ) -> cst.TypeAlias | cst.Assign:
        if original_node.type_parameters and self.is_unknown(original_node.type_parameters):
            return original_node
        value = cast(cst.BaseExpression, original_node.value.visit(self))
        return cst.Assign([cst.AssignTarget(original_node.name)], value)

    def is_unknown(self, parameters: cst.TypeParameters) -> bool:
        """Tell parameters with defaults, which came later."""
        return "3.13" not in self.known and any(param.default is not None for param in parameters.params)

    def leave_FunctionDef(  # noqa: N802
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        return self.without_parameters(updated_node)

    def leave_ClassDef(self, original_node: cst.ClassDef, updated_node: cst.ClassDef) -> cst.ClassDef:  # noqa: N802
        return self.without_parameters(updated_node)

    def without_parameters(self, node: Definition) -> Definition:
        known = node.type_parameters and not self.is_unknown(node.type_parameters)
        return node.with_changes(type_parameters=None) if known else node

    def leave_FormattedString(  # noqa: N802
        self, original_node: cst.FormattedString, updated_node: cst.FormattedString
    ) -> cst.Tuple:
        return inner_values(updated_node.parts)

    def leave_TemplatedString(  # noqa: N802
        self, original_node: cst.TemplatedString, updated_node: cst.TemplatedString
    ) -> cst.BaseExpression:
        return inner_values(updated_node.parts) if "3.14" in self.known else updated_node

    def visit_ConcatenatedString(self, node: cst.ConcatenatedString) -> bool:  # noqa: N802
        return False  # what would be put in place of its parts is no string

    def leave_ConcatenatedString(  # noqa: N802
        self, original_node: cst.ConcatenatedString, updated_node: cst.ConcatenatedString
    ) -> cst.BaseExpression:
        parts: list[cst.BaseExpression] = []
        rest: cst.BaseExpression = original_node
        while isinstance(rest, cst.ConcatenatedString):
            parts.append(rest.left)
            rest = rest.right
        parts.append(rest)
        plain = all(isinstance(part, cst.SimpleString) for part in parts)
        return original_node if plain else tuple_of([cast(cst.BaseExpression, p.visit(self)) for p in parts])

    def leave_ExceptStarHandler(  # noqa: N802
        self, original_node: cst.ExceptStarHandler, updated_node: cst.ExceptStarHandler
    ) -> cst.ExceptStarHandler:
        return self.with_bracketed_types(updated_node)

    def leave_ExceptHandler(  # noqa: N802
        self, original_node: cst.ExceptHandler, updated_node: cst.ExceptHandler
    ) -> cst.ExceptHandler:
        return self.with_bracketed_types(updated_node)

    def with_bracketed_types(self, updated_node: Handler) -> Handler:
        types = updated_node.type
        bare = isinstance(types, cst.Tuple) and not types.lpar and updated_node.name is None
        if not isinstance(types, cst.Tuple) or not bare or "3.14" not in self.known:
            return updated_node
        return updated_node.with_changes(type=tuple_of([element.value for element in types.elements]))


def inner_values(parts: Sequence[cst.CSTNode]) -> cst.Tuple:
    """Return a tuple of the expressions in the braces of a string, those of formats included."""
    values: list[cst.BaseExpression] = []
    for part in parts:
        if isinstance(part, cst.FormattedStringExpression | cst.TemplatedStringExpression):
            values.append(part.expression)
            values += [inner_values(part.format_spec)] if part.format_spec else []
    return tuple_of(values)


def tuple_of(values: list[cst.BaseExpression]) -> cst.Tuple:
    wrapped = [cst.Element(parenthesised(value)) for value in values]
    return cst.Tuple(wrapped, lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def parenthesised(value: cst.BaseExpression) -> cst.BaseExpression:
    if isinstance(value, cst.Tuple) and value.lpar:
        return value
    return value.with_changes(lpar=[cst.LeftParen(), *value.lpar], rpar=[*value.rpar, cst.RightParen()])


def parses(text: str) -> bool:
    try:
        compile(text, "<submission>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def needed(text: str) -> str | None:
    """Return the version of Python that a text needs, None where it is no Python at all."""
    try:
        tree = cst.parse_module(text)
        return next((version for version in VERSIONS if parses(tree.visit(Older(version)).code)), None)
    except Exception:  # a grammar's own complaint, or a tree that LibCST's checks do not let through
        return None


def main() -> None:
    seconds = 4  # of processor time, in all
    with contextlib.suppress(ImportError):  # on Windows only the deadline of who started this ends it
        import resource  # noqa: PLC0415  Windows has none

        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    for line in sys.stdin:
        found = ((count, version) for count, text in enumerate(json.loads(line)) if (version := needed(text)))
        print(json.dumps(next(found, None)), flush=True)


if __name__ == "__main__":
    main()
