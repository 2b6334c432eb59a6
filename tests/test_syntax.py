"""Parsing is left to one thread at a time."""

import ast
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from grader import syntax

GRADER = Path(syntax.__file__).parent
ALONE = {"inside", "intake", "publish", "corpus", "syntax.py"}  # processes of one thread


def test_two_threads_never_parse_at_once(monkeypatch):
    inside, most = [], []

    def slow(source):
        inside.append(source)
        most.append(len(inside))
        time.sleep(0.01)
        inside.pop()
        return ast.Module([], [])

    monkeypatch.setattr(ast, "parse", slow)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(syntax.parse, ["x = 1"] * 12))
    assert max(most) == 1 and len(most) == 12


def test_nothing_that_runs_in_threads_parses_by_itself():
    paths = [path for path in GRADER.rglob("*.py") if not ALONE & set(path.relative_to(GRADER).parts)]
    assert len(paths) > 50
    assert not [path for path in paths if re.search(r"\bast\.parse\(", path.read_text(encoding="utf-8"))]
