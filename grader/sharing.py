"""What rests on the same content is computed once in a run over a class, whoever hands it in.

The content is all that a worker is given: a submission's program and its files. Comments and layout of code, what
notebooks printed and what stands between their cells are no part of it. An answer that rests on nothing else, not even
on what is a student's own of the grade's seed, holds for every submission of the same content, and so does what is
computed from it alone.
"""

import ast
import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from grader import syntax
from grader.records import Observation, Piece, Submission

OWN_BITS = 12  # of a student's seed; the others are the same in the whole class


def student_seed(class_seed: int, key: str) -> int:
    """A student's seed: fixed by the class's, whatever the order in which submissions are graded."""
    own = int.from_bytes(hashlib.sha256(f"{class_seed} {key}".encode("utf-8", "surrogateescape")).digest()[:4])
    return class_seed >> OWN_BITS << OWN_BITS | own % (1 << OWN_BITS)


def common_seed(seed: int) -> int:
    """What the seeds of a class have in common: drawn from it, the same is asked of equal submissions."""
    return seed >> OWN_BITS or seed


class Recall(Protocol):
    """Gives an answer again that was kept with a grade."""

    def __call__(self, op: str, plain: Observation, digest: str) -> Observation:
        """The answer to an operation, from all of it but its value, and the digest of the frame that it came in."""
        ...


def content_of(submission: Submission) -> str:
    """Digest of all that a worker of a submission is given."""
    program = submission.program
    code = {
        "main": _trees(program.main),
        "modules": {name: _trees(pieces) for name, pieces in program.modules.items()},
        "names": {name: origin.module for name, origin in program.names.items()},
        "cells": [_tree(cell.source) for cell in submission.cells],  # with what makes the arguments of calls
        "undefined": sorted(program.undefined),
        "unparsed": sorted(name for problem in submission.syntax_errors for name in problem.names),
    }
    digest = hashlib.sha256(json.dumps(code, sort_keys=True).encode("utf-8", "backslashreplace"))
    for each in sorted(_files(submission.root)):
        digest.update(each)
    return digest.hexdigest()


def _trees(pieces: Collection[Piece]) -> list[str]:
    return [_tree(piece.source) for piece in pieces]


def _tree(source: str) -> str:
    """Code without its layout and comments; as it is where it cannot be parsed."""
    try:
        return ast.dump(syntax.parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source


def _files(root: Path) -> Iterator[bytes]:
    """What counts of each file, which code may read for itself."""
    for path in root.rglob("*"):
        if not path.is_file() or path.suffix == ".ipynb":  # the code of a notebook is the program
            continue
        name = path.relative_to(root).as_posix().encode("utf-8", "backslashreplace")
        if path.suffix == ".py":
            tree = _tree(path.read_bytes().decode("utf-8", "backslashreplace"))
            digest = hashlib.sha256(tree.encode("utf-8", "backslashreplace"))
        else:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256")
        yield hashlib.sha256(name).digest() + digest.digest()


class Shared:
    """Answers and scores of one run by the content that they rest on; for several threads.

    Args:
        recall: gives an answer again that is no longer held here; where there is none, it is asked again.
    """

    max_bytes = 64 << 20  # of frames that are held

    def __init__(self, recall: Recall | None = None) -> None:
        self.recall = recall
        self._lock = threading.Lock()
        self._busy: dict[str, threading.Lock] = {}  # by what is asked for
        self._held: OrderedDict[str, Observation] = OrderedDict()
        self._kept: dict[str, tuple[Observation, str]] = {}  # what ``recall`` takes
        self._scores: dict[tuple[str, ...], Any] = {}

    def answer(self, op: str, key: str, ask: Callable[[], Observation]) -> Observation:
        """The answer that holds for a key; asked for where it is not known, while others who want it wait.

        Args:
            op: the operation that is asked for.
            key: of all that the answer rests on.
            ask: its answer is shared where it is a value.
        """
        with self._lock:
            busy = self._busy.setdefault(key, threading.Lock())
        with busy:
            found = self._found(op, key)
            if found is None:
                found = ask()
                if found.outcome == "value":
                    found = replace(found, content=key)
                    self._hold(key, found)
            return found

    def _found(self, op: str, key: str) -> Observation | None:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
            plain, digest = self._kept.get(key, (None, ""))
        if plain is None or self.recall is None:
            return None
        try:
            found = self.recall(op, plain, digest)
        except Exception:  # its grade is not there yet, or cannot be read: it is asked again
            return None
        self._hold(key, found)
        return found

    def _hold(self, key: str, answer: Observation) -> None:
        with self._lock:
            self._held[key] = answer
            while sum(len(each.frame) for each in self._held.values()) > self.max_bytes:
                let_go, old = self._held.popitem(last=False)
                if old.frame:
                    self._kept[let_go] = replace(old, value=None, frame=b""), hashlib.sha256(old.frame).hexdigest()

    def score(self, name: str, contents: Collection[str], compute: Callable[[], Any]) -> Any:
        """What is computed from answers of some contents alone."""
        key = (name, *contents)
        if key not in self._scores:
            self._scores[key] = compute()
        return self._scores[key]
