"""Parsing Python, one thread at a time: in CPython 3.11 two that parse at once may mix up their recursion depths.

The SystemError that this gives, "AST constructor recursion depth mismatch", is that of
https://github.com/python/cpython/issues/106905.
"""

import ast
import threading

_alone = threading.Lock()


def parse(source: str | bytes) -> ast.Module:
    """What ``ast.parse`` returns, and raises."""
    with _alone:
        return ast.parse(source)
