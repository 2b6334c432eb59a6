"""Which lines of a definition to show: those that a verdict's words name, or how it begins."""

import ast
from collections.abc import Iterator

from grader import patterns, syntax


def naming(source: str, words: str, most: int = 2) -> list[int]:
    """Lines, counted from 1, of names in a message: "MultiStepLR", "scheduler.step()"."""
    word = patterns.compile(r"[A-Za-z_][\pL\pN_]{3,}")
    wanted = set(word.findall(words))
    lines: dict[str, set[int]] = {}
    for name, line in _names(source):
        if name in wanted:
            lines.setdefault(name, set()).add(line)
    scores: dict[int, float] = {}
    for those in lines.values():
        for line in those:
            scores[line] = scores.get(line, 0.0) + 1 / len(those)
    min_weight = 0.5  # a name that stands in two lines points to both, one that is everywhere to none
    best = sorted(
        (line for line, score in scores.items() if score >= min_weight), key=lambda line: (-scores[line], line)
    )
    return sorted(best[:most])


def beginning(source: str) -> list[int]:
    """Its first lines, counted from 1, without what its docstrings say."""
    skipped: set[int] = set()
    for node in ast.walk(_parsed(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            skipped.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = enumerate(source.splitlines(), 1)
    max_lines = 14  # lines
    return [number for number, text in lines if number not in skipped and text.strip()][:max_lines]


def _names(source: str) -> Iterator[tuple[str, int]]:
    for node in ast.walk(_parsed(source)):
        if isinstance(node, ast.Name):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute):
            yield node.attr, node.end_lineno or node.lineno
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg, node.lineno


def _parsed(source: str) -> ast.AST:
    max_characters = 100_000  # characters of a definition that is looked into
    try:
        return syntax.parse(source if len(source) <= max_characters else "")
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # it was parsed at intake; what is kept may be old
        return ast.Module([], [])
