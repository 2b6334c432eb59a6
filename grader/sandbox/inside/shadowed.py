"""Names of libraries that a notebook uses for something else further down.

A last cell's ``nn, rows = retrieve_topk_nearest_neighbors_l2(…)`` takes ``nn`` away from every class above it, and all of
these have done their work by then.
"""

import contextlib
import types
from collections.abc import Callable, Sequence
from typing import Any

from grader.sandbox.inside import statements


def give_back(
    pieces: Sequence[dict[str, Any]], space: dict[str, Any], compiled: Callable[[dict[str, Any]], types.CodeType]
) -> None:
    """Give libraries their names back where what functions read of the names is theirs, and the later values lack it.

    What is imported or defined further down under such a name is meant so.

    Args:
        pieces: the notebook's statements, which were executed.
        space: the names that they have bound.
        compiled: makes code of a statement.
    """
    libraries: dict[str, types.ModuleType] = {}
    for piece in pieces:
        names = statements.imported(piece["source"]) if piece["source"].startswith(("import ", "from ")) else set()
        if all(isinstance(space.get(name), types.ModuleType) for name in names):
            continue
        again: dict[str, Any] = {}
        with contextlib.suppress(Exception):  # what could not be imported is known already
            exec(compiled(piece), again)
        libraries |= {name: again[name] for name in names if isinstance(again.get(name), types.ModuleType)}
    lost = {name for name in libraries if not isinstance(space.get(name), types.ModuleType)}
    sources = [piece["source"] for piece in pieces]
    taken = {name for name in lost if not statements.is_definition(statements.last_that_binds(name, sources))}
    used = statements.read_when_called(sources, taken) if taken else {}
    for name, attributes in used.items():
        of_library = all(hasattr(libraries[name], attribute) for attribute in attributes)
        if of_library and not all(hasattr(space.get(name), attribute) for attribute in attributes):
            space[name] = libraries[name]
