"""The gradebook: every submission's state, observations and grades, in one SQLite file.

What was handed in is a row of ``submissions``: one student may have several. A row of ``grades`` is written
in one transaction when a submission is done, observations with it, and is never changed: the latest of a
submission counts, the others are history. ``begun`` counts the starts that came to no end, so that a
submission that takes the grader with it is found.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.errors import GraderError, Unreadable
from grader.gradebook import refusals
from grader.gradebook.digests import Digests
from grader.gradebook.roster import Roster, parse
from grader.gradebook.schema import TABLES, add_verdicts, is_gradebook, make
from grader.records import Grade
from grader.reports import record

NAME = "gradebook.sqlite"
VERSION = 3


@dataclass(frozen=True)
class SubmissionRow:
    """A submission as the gradebook knows it."""

    id: int
    key: str
    content: str
    path: Path
    files: Mapping[str, Path]
    late: bool | None
    handed_in: float | None
    student: str | None
    attempt: str | None
    run: int
    begun: int


@dataclass(frozen=True)
class GradeRow:
    """One grade in the gradebook."""

    id: int
    submission: int
    observations: int | None
    digests: Digests
    seed: int
    at: float
    options: dict[str, Any]
    grade: Grade
    scores: bytes | None
    verdicts: bytes | None


@dataclass(frozen=True)
class PackedGrade:
    """A grade with what it rests on, as bytes: from a thread, a cluster's worker, or earlier observations."""

    grade: Grade
    options: dict[str, Any] = field(default_factory=dict)
    submission: bytes | None = None
    answers: bytes | None = None
    frames: Mapping[str, bytes] = field(default_factory=dict)
    scores: bytes | None = None
    verdicts: bytes | None = None
    observations: int | None = None  # the row, where they are kept already


class Gradebook:
    """One open gradebook; safe to use from several threads of one process."""

    grade_columns = (
        "id, submission, observations, asks, checks, rubric, environment, seed, at, options, grade, scores, verdicts"
    )

    def __init__(self, path: Path, must_exist: bool = False) -> None:
        """Open a gradebook, or start one.

        Raises:
            GraderError: there is none, none can be kept there, or it is no gradebook.
        """
        self.path, self.lock = path, threading.RLock()
        if must_exist and not path.is_file():
            raise GraderError(f"{path}: no gradebook there; grade something with --out {path.parent} first")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _expect_gradebook(path)
            self.db = sqlite3.connect(path, timeout=30, check_same_thread=False, isolation_level=None)
            self.db.row_factory = sqlite3.Row
            if not is_gradebook(self.db):
                raise GraderError(f"{path}: is another SQLite file than a gradebook; choose another --out")
            self.db.execute("PRAGMA journal_mode=WAL")
            self.db.execute("PRAGMA synchronous=FULL")
            self.db.executescript(TABLES)
            add_verdicts(self.db)
            if int(self.setting("version", str(VERSION))) == VERSION - 1:
                from grader.gradebook import migration  # noqa: PLC0415  slow to import, and few gradebooks are old

                migration.upgrade(self.db, path)
            version = int(self.setting("version", str(VERSION)))
        except (OSError, sqlite3.Error) as error:
            raise GraderError(f"{path}: {refusals.of_opening(path, error)}") from None
        if version != VERSION:
            raise GraderError(f"{path}: a gradebook of another version ({version}); choose another --out")

    def setting(self, name: str, default: str) -> str:
        """A setting of this gradebook; the default is kept when there was none."""
        with self.lock:
            self.db.execute("INSERT OR IGNORE INTO settings VALUES (?, ?)", (name, default))
            return str(self._one("SELECT value FROM settings WHERE name = ?", name)[0])

    def remember(self, name: str, value: str) -> None:
        """Set a setting."""
        with self.lock:
            self.db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    @property
    def roster(self) -> Roster:
        """The roster that holds; an empty one where there is none."""
        row = self._one("SELECT path, text FROM rosters ORDER BY id DESC LIMIT 1")
        return parse(row["text"], row["path"]) if row else Roster()

    @property
    def roster_text(self) -> str | None:
        """The roster that holds, as it was written."""
        row = self._one("SELECT text FROM rosters ORDER BY id DESC LIMIT 1")
        return row["text"] if row else None

    def take_roster(self, path: str, text: str, by: str) -> None:
        """Have another roster hold from now on; those before stay as history."""
        with self.lock:
            row = (path, text, by, time.time())
            self.db.execute("INSERT INTO rosters (path, text, by, at) VALUES (?, ?, ?, ?)", row)

    def next_run(self) -> int:
        """The number of a run that begins."""
        with self.transaction():
            number = int(self.setting("runs", "0")) + 1
            self.remember("runs", str(number))
        return number

    def submission_row(
        self, key: str, fingerprint: str, content: Callable[[], str], facts: Mapping[str, Any]
    ) -> SubmissionRow:
        """The row of what a student handed in; a new one when they never handed in this.

        Args:
            fingerprint: tells at once that nothing has changed.
            content: digest of the files, computed where the fingerprint is not known.
            facts: path, files, late, handed_in, student, attempt, run.
        """
        with self.lock:
            row = self._one("SELECT content FROM submissions WHERE key = ? AND fingerprint = ?", key, fingerprint)
            content_ = row[0] if row else content()
            names = ["key", "content", "fingerprint", *facts]
            marks, update = ", ".join("?" * len(names)), ", ".join(f"{n} = excluded.{n}" for n in names[2:])
            self.db.execute(
                f"INSERT INTO submissions ({', '.join(names)}) VALUES ({marks}) "
                f"ON CONFLICT (key, content) DO UPDATE SET {update}",
                [key, content_, fingerprint, *facts.values()],
            )
            return _submission_row(self._one("SELECT * FROM submissions WHERE key = ? AND content = ?", key, content_))

    def begin(self, submission: int) -> None:
        """Note that a submission is being graded."""
        with self.lock:
            self.db.execute("UPDATE submissions SET begun = begun + 1 WHERE id = ?", (submission,))

    def begun(self, submission: int) -> int:
        """How many times it was begun without coming to an end."""
        return int(self._one("SELECT begun FROM submissions WHERE id = ?", submission)[0])

    def leave(self, submission: int) -> None:
        """Note that a submission was begun and left for now, for a reason that is not its own."""
        with self.lock:
            self.db.execute("UPDATE submissions SET begun = MAX(0, begun - 1) WHERE id = ?", (submission,))

    def finish(self, submission: int, now: Digests, packed_grade: PackedGrade) -> None:
        """Commit a grade, and with it that the submission came to an end."""
        with self.transaction():
            self.db.executemany("INSERT OR IGNORE INTO frames VALUES (?, ?)", packed_grade.frames.items())
            observations = packed_grade.observations
            if packed_grade.answers is not None:
                observations = self.db.execute(
                    "INSERT INTO observations (submission, answers) VALUES (?, ?)",
                    (packed_grade.submission, packed_grade.answers),
                ).lastrowid
            grade = packed_grade.grade
            row = {
                "submission": submission, "observations": observations,
                "asks": now.asks, "checks": now.checks, "rubric": now.rubric, "environment": now.environment,
                "seed": grade.seed, "at": time.time(), "sha256": grade.submission["sha256"],
                "status": grade.status, "score": grade.score, "seconds": grade.timings.get("total", 0.0),
                "options": json.dumps(packed_grade.options), "grade": json.dumps(record.to_dict(grade)),
                "scores": packed_grade.scores, "verdicts": packed_grade.verdicts,
            }  # fmt: skip
            marks = ", ".join(f":{name}" for name in row)
            self.db.execute(f"INSERT INTO grades ({', '.join(row)}) VALUES ({marks})", row)
            self.db.execute("UPDATE submissions SET begun = 0 WHERE id = ?", (submission,))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is written inside is committed as one, when the outermost of these ends."""
        with self.lock:
            if self.db.in_transaction:
                yield
                return
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.db.execute("ROLLBACK")
                raise
            self.db.execute("COMMIT")

    def latest(self, submission: int) -> GradeRow | None:
        """The grade of a submission that counts."""
        row = self._one(
            f"SELECT {self.grade_columns} FROM grades WHERE submission = ? ORDER BY id DESC LIMIT 1", submission
        )
        return _grade_row(row) if row else None

    def rubrics(self) -> set[str]:
        """The digests of the rubrics by which the latest grade of each submission was computed, replaced ones included."""
        latest = "SELECT MAX(id) FROM grades GROUP BY submission"
        with self.lock:
            return {row[0] for row in self.db.execute(f"SELECT DISTINCT rubric FROM grades WHERE id IN ({latest})")}

    def grades(self, submission: int) -> list[GradeRow]:
        """All grades of a submission, oldest first."""
        with self.lock:
            rows = self.db.execute(
                f"SELECT {self.grade_columns} FROM grades WHERE submission = ? ORDER BY id", (submission,)
            )
            return [_grade_row(row) for row in rows.fetchall()]

    def history(self, key: str) -> list[GradeRow]:
        """All grades of a student, oldest first."""
        found = [grade for row in self.submissions() if row.key == key for grade in self.grades(row.id)]
        return sorted(found, key=lambda grade: grade.id)

    def submissions(self) -> list[SubmissionRow]:
        """All that was handed in, by student and in the order of arrival."""
        with self.lock:
            return [
                _submission_row(row) for row in self.db.execute("SELECT * FROM submissions ORDER BY key, id").fetchall()
            ]

    def observed(self, ident: int) -> tuple[bytes, bytes]:
        """What was kept of a submission, and its answers."""
        row = self._one("SELECT submission, answers FROM observations WHERE id = ?", ident)
        return row["submission"], row["answers"]

    def frame(self, digest: str) -> bytes:
        """A packed frame.

        Raises:
            Unreadable: it is not there.
        """
        row = self._one("SELECT data FROM frames WHERE digest = ?", digest)
        if row is None:
            raise Unreadable(f"{self.path}: an answer that the gradebook names is not there")
        return bytes(row[0])

    def keep_sources(self, digest: str, kept: str) -> None:
        """Keep which code judges, so that it can be told later what has changed since."""
        with self.lock:
            self.db.execute("INSERT OR IGNORE INTO sources VALUES (?, ?)", (digest, kept))

    def sources(self, digest: str) -> str | None:
        """The code that judged, as it was kept; None where it is not known."""
        row = self._one("SELECT data FROM sources WHERE digest = ?", digest)
        return row["data"] if row else None

    def close(self) -> None:
        with self.lock:
            self.db.close()

    def _one(self, query: str, *values: Any) -> Any:
        with self.lock:
            return self.db.execute(query, values).fetchone()


def _expect_gradebook(path: Path) -> None:
    """Make a gradebook where none is; SQLite would take a file without a byte for a new one, and delete its log.

    Raises:
        GraderError: such a file is there.
    """
    if not path.exists():
        make(path.resolve())
    elif path.is_file() and not path.stat().st_size:
        raise GraderError(
            f"{path}: an empty file, which no run leaves: take a copy from before, or remove it if nothing was graded yet"
        )


def _submission_row(row: sqlite3.Row) -> SubmissionRow:
    return SubmissionRow(
        row["id"], row["key"], row["content"], Path(row["path"]),
        {name: Path(path) for name, path in loaded(row["files"]).items()},
        None if row["late"] is None else bool(row["late"]),
        row["handed_in"], row["student"], row["attempt"], row["run"], row["begun"],
    )  # fmt: skip


def _grade_row(row: sqlite3.Row) -> GradeRow:
    try:
        options, grade = loaded(row["options"]), record.from_dict(loaded(row["grade"]))
    except GraderError as error:
        raise sqlite3.DatabaseError(f"a grade in it is malformed: {error}") from None
    return GradeRow(
        row["id"], row["submission"], row["observations"],
        Digests(row["asks"], row["checks"], row["rubric"], row["environment"]),
        row["seed"], row["at"], options, grade, row["scores"], row["verdicts"],
    )  # fmt: skip


def loaded(text: str) -> Any:
    """A value that is kept as JSON.

    Raises:
        sqlite3.DatabaseError: it is damaged.
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise sqlite3.DatabaseError(f"what it holds is malformed: {error}") from None
