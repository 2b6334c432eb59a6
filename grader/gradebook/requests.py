"""Requests of students for another look, kept in the gradebook until a person has answered them."""

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from grader.errors import GraderErrors
from grader.gradebook.store import Gradebook
from grader.gradebook.together import classlist

MAX_TEXT = 4_000  # characters of a request


@dataclass(frozen=True)
class StudentRequest:
    """What a student asks for.

    Attributes:
        key: the student's.
        text: in the student's words.
        at: when it was taken in, in seconds since 1970.
        id: its row; 0 before it is kept.
        where: begins the line that refuses it, as "requests.csv: row 3: ".
    """

    key: str
    text: str
    at: float = 0.0
    id: int = 0
    where: str = ""


class Requests:
    """The requests in a gradebook."""

    def __init__(self, book: Gradebook) -> None:
        self.book = book

    def add(self, asked: Sequence[StudentRequest]) -> list[StudentRequest]:
        """Keep requests, all of them or none; one that is there already is not kept again.

        Returns:
            those that are new.

        Raises:
            GraderErrors: a line for each that cannot be kept.
        """
        now = time.time()
        with self.book.transaction():
            class_ = classlist(self.book)
            known = {key for keys in class_.groups if any(class_.rows.get(key) for key in keys) for key in keys}
            asked = [replace(each, key=class_.named(each.key)) for each in asked]
            if wrong := [f"{each.where}{why}" for each in asked if (why := _wrong(each, known))]:
                raise GraderErrors(wrong)
            return [each for each in asked if self._insert(each, now)]

    def _insert(self, request: StudentRequest, now: float) -> bool:
        query = "INSERT OR IGNORE INTO requests (key, text, at) VALUES (?, ?, ?)"
        return bool(self.book.db.execute(query, (request.key, request.text.strip(), now)).rowcount)

    def open(self) -> list[StudentRequest]:
        """Those that nobody has answered yet, oldest first."""
        query = "SELECT * FROM requests WHERE id NOT IN (SELECT request FROM answers) ORDER BY id"
        with self.book.lock:
            return [_request(row) for row in self.book.db.execute(query).fetchall()]

    def answer(self, request: int, by: str) -> None:
        """Note that a request needs no look any more; whoever noted it first stays."""
        with self.book.transaction():
            self.book.db.execute(
                "INSERT OR IGNORE INTO answers (request, by, at) SELECT id, ?, ? FROM requests WHERE id = ?",
                (by, time.time(), request),
            )


def _request(row: sqlite3.Row) -> StudentRequest:
    return StudentRequest(row["key"], row["text"], row["at"], row["id"])


def _wrong(request: StudentRequest, known: set[str]) -> str:
    if request.key not in known:
        return f"{request.key}: nothing was handed in by a student of this name"
    if not request.text.strip():
        return f"{request.key}: expected the request's text"
    if len(request.text) > MAX_TEXT:
        return f"{request.key}: expected a text of at most {MAX_TEXT:,} characters, got {len(request.text):,}"
    return ""
