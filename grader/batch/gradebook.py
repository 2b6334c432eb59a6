"""The gradebook: every submission's state, observations and grades, in one SQLite file.

A row of ``grades`` is written in one transaction when a submission is done, and is never changed; the
latest row of a student counts, the others are history. ``attempts`` counts the starts that came to no
end, so that a submission that takes the grader with it is found.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.errors import GraderError
from grader.records import Grade
from grader.reports import record

VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS submissions (
    key TEXT PRIMARY KEY,          -- the student's, from the class folder
    path TEXT NOT NULL,
    fingerprint TEXT NOT NULL,     -- names, sizes and times of its files
    late INTEGER,                  -- NULL where the download does not say
    details TEXT NOT NULL,         -- what the class folder tells: ids, attempt
    attempts INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS grades (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL REFERENCES submissions(key),
    fingerprint TEXT NOT NULL,
    sha256 TEXT NOT NULL,          -- of the submission
    checks TEXT NOT NULL,          -- digest of the grader's code
    rubric TEXT NOT NULL,          -- digest of the rubric
    environment TEXT NOT NULL,     -- Python, torch and platform
    seed INTEGER NOT NULL,
    at REAL NOT NULL,              -- seconds since 1970
    score REAL NOT NULL,
    status TEXT NOT NULL,
    grade TEXT NOT NULL,           -- JSON, as --json writes it
    submission BLOB,               -- what judging needs of it
    observations BLOB              -- compressed; NULL where it was rejected
);
CREATE INDEX IF NOT EXISTS grades_by_key ON grades (key, id);
"""


@dataclass(frozen=True)
class Digests:
    """What a grade rests on, beside the submission."""

    checks: str
    rubric: str
    environment: str


@dataclass(frozen=True)
class Kept:
    """One row of the gradebook."""

    id: int
    key: str
    fingerprint: str
    sha256: str
    digests: Digests
    seed: int
    at: float
    grade: Grade
    submission: bytes | None
    observations: bytes | None


class Gradebook:
    """One open gradebook; safe to use from several threads of one process."""

    def __init__(self, path: Path) -> None:
        self.path, self.lock = path, threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.db = sqlite3.connect(path, timeout=30, check_same_thread=False, isolation_level=None)
            self.db.row_factory = sqlite3.Row
            self.db.execute("PRAGMA journal_mode=WAL")
            self.db.execute("PRAGMA synchronous=FULL")
            self.db.executescript(SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise GraderError(f"{path}: no gradebook can be kept there: {error}") from None
        if int(self.setting("version", str(VERSION))) != VERSION:
            raise GraderError(f"{path}: a gradebook of another version; choose another --out")

    def setting(self, name: str, default: str) -> str:
        """A setting of this gradebook; the default is kept when there was none."""
        with self.lock:
            self.db.execute("INSERT OR IGNORE INTO settings VALUES (?, ?)", (name, default))
            return str(self.db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()[0])

    def begin(self, key: str, path: str, fingerprint: str, late: bool | None, details: dict[str, Any]) -> int:
        """Note that a submission is being graded.

        Returns:
            how many times it was begun without coming to an end, this time included.
        """
        row = (key, path, fingerprint, late, json.dumps(details))
        with self.lock:
            self.db.execute(
                "INSERT INTO submissions (key, path, fingerprint, late, details, attempts) VALUES (?, ?, ?, ?, ?, 1) "
                "ON CONFLICT (key) DO UPDATE SET attempts = "
                "CASE WHEN fingerprint = excluded.fingerprint THEN attempts + 1 ELSE 1 END, path = excluded.path, "
                "fingerprint = excluded.fingerprint, late = excluded.late, details = excluded.details",
                row,
            )
            return int(self.db.execute("SELECT attempts FROM submissions WHERE key = ?", (key,)).fetchone()[0])

    def attempts(self, key: str, fingerprint: str) -> int:
        """How many times a submission was begun without coming to an end."""
        with self.lock:
            row = self.db.execute(
                "SELECT attempts FROM submissions WHERE key = ? AND fingerprint = ?", (key, fingerprint)
            ).fetchone()
        return int(row[0]) if row else 0

    def finish(self, key: str, fingerprint: str, digests: Digests, grade: Grade,
               submission: bytes | None, observations: bytes | None) -> None:  # fmt: skip
        """Commit a grade, and with it that the submission came to an end."""
        row = (
            key, fingerprint, grade.submission["sha256"], digests.checks, digests.rubric, digests.environment,
            grade.seed, time.time(), grade.score, grade.status,
            json.dumps(record.to_dict(grade)), submission, observations,
        )  # fmt: skip
        with self.lock:
            self.db.execute("BEGIN IMMEDIATE")
            self.db.execute(
                "INSERT INTO grades (key, fingerprint, sha256, checks, rubric, environment, seed, at, score, status, "
                "grade, submission, observations) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
            self.db.execute("UPDATE submissions SET attempts = 0 WHERE key = ?", (key,))
            self.db.execute("COMMIT")

    def latest(self, key: str) -> Kept | None:
        """The grade of a student that counts."""
        with self.lock:
            row = self.db.execute("SELECT * FROM grades WHERE key = ? ORDER BY id DESC LIMIT 1", (key,)).fetchone()
        return _kept(row) if row else None

    def history(self, key: str) -> list[Kept]:
        """All grades of a student, oldest first."""
        with self.lock:
            rows = self.db.execute("SELECT * FROM grades WHERE key = ? ORDER BY id", (key,)).fetchall()
        return [_kept(row) for row in rows]

    def all(self) -> Iterator[Kept]:
        """The grade that counts of every student, by key."""
        with self.lock:
            ids = [r[0] for r in self.db.execute("SELECT MAX(id) FROM grades GROUP BY key ORDER BY key").fetchall()]
        for ident in ids:
            with self.lock:
                row = self.db.execute("SELECT * FROM grades WHERE id = ?", (ident,)).fetchone()
            yield _kept(row)

    def details(self) -> dict[str, dict[str, Any]]:
        """By student: path, lateness, and what else the class folder told."""
        with self.lock:
            rows = self.db.execute("SELECT key, path, late, details FROM submissions").fetchall()
        return {
            row["key"]: {
                "path": row["path"],
                "late": None if row["late"] is None else bool(row["late"]),
                **json.loads(row["details"]),
            }
            for row in rows
        }

    def close(self) -> None:
        with self.lock:
            self.db.close()


def _kept(row: sqlite3.Row) -> Kept:
    return Kept(
        row["id"], row["key"], row["fingerprint"], row["sha256"],
        Digests(row["checks"], row["rubric"], row["environment"]), row["seed"], row["at"],
        record.from_dict(json.loads(row["grade"])), row["submission"], row["observations"],
    )  # fmt: skip
