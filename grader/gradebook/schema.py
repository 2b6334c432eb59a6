"""The tables of a gradebook."""

import contextlib
import os
import sqlite3
from pathlib import Path

TABLES = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS submissions (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,             -- the student's, from the class folder
    content TEXT NOT NULL,         -- digest of names and bytes of its files
    fingerprint TEXT NOT NULL,     -- digest of names, sizes and times: a cheap look at the same
    path TEXT NOT NULL,
    files TEXT NOT NULL,           -- JSON: original name → path, of loose files
    late INTEGER,                  -- NULL where the download does not say
    handed_in REAL,                -- seconds since 1970, from the files' times
    student TEXT,                  -- the id that Canvas or Moodle gave
    attempt TEXT,                  -- the submission id that Canvas gave
    run INTEGER NOT NULL DEFAULT 0, -- the last one that found it
    begun INTEGER NOT NULL DEFAULT 0,
    UNIQUE (key, content)
);
CREATE TABLE IF NOT EXISTS frames (digest TEXT PRIMARY KEY, data BLOB NOT NULL);  -- answers as they came
CREATE TABLE IF NOT EXISTS observations (
    id INTEGER PRIMARY KEY,
    submission BLOB NOT NULL,      -- what judging needs of it
    answers BLOB NOT NULL          -- see grader/gradebook/packing.py
);
CREATE TABLE IF NOT EXISTS compared (  -- with others of the class; it can be made again from the submission
    observations INTEGER PRIMARY KEY REFERENCES observations(id), made_by TEXT NOT NULL, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS grades (
    id INTEGER PRIMARY KEY,
    submission INTEGER NOT NULL REFERENCES submissions(id),
    observations INTEGER REFERENCES observations(id),  -- NULL where it was rejected
    asks TEXT NOT NULL,            -- digest of the code that ran it, and of the options
    checks TEXT NOT NULL,          -- … of the code that judged it
    rubric TEXT NOT NULL,
    environment TEXT NOT NULL,     -- Python, torch and platform
    seed INTEGER NOT NULL,
    at REAL NOT NULL,              -- seconds since 1970
    sha256 TEXT NOT NULL,          -- of the submission, as the grade gives it
    status TEXT NOT NULL,
    score REAL NOT NULL,
    seconds REAL NOT NULL,
    options TEXT NOT NULL,         -- JSON: what was to be trained, judged, sampled
    grade TEXT NOT NULL,           -- JSON, as --json writes it: verdicts, timings and all
    scores BLOB,                   -- JSON: what is expensive to compute from the answers, and by which code
    verdicts BLOB                  -- what was judged, and what that takes from the rubric; NULL in older grades
);
CREATE TABLE IF NOT EXISTS sources (digest TEXT PRIMARY KEY, data TEXT NOT NULL);  -- of code that judged, by module
CREATE INDEX IF NOT EXISTS grades_by_submission ON grades (submission, id);
CREATE TABLE IF NOT EXISTS decisions (  -- of people; see grader/gradebook/ledger.py
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    criterion TEXT NOT NULL,       -- "score": the whole score
    points REAL,                   -- NULL takes the decision before it back
    why TEXT NOT NULL,
    comment TEXT NOT NULL,         -- what the student reads instead; may be empty
    by TEXT NOT NULL,
    at REAL NOT NULL,              -- seconds since 1970
    beneath TEXT NOT NULL          -- JSON: the computed verdict that it was made on
);
CREATE INDEX IF NOT EXISTS decisions_by_key ON decisions (key, id);
CREATE TABLE IF NOT EXISTS exports (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, format TEXT NOT NULL, said TEXT NOT NULL, at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS exports_by_key ON exports (key, id);
CREATE TABLE IF NOT EXISTS rosters (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL, text TEXT NOT NULL, by TEXT NOT NULL, at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS requests (  -- of students, for another look; an answered one needs none any more
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, text TEXT NOT NULL, at REAL NOT NULL, UNIQUE (key, text));
CREATE TABLE IF NOT EXISTS answers (request INTEGER PRIMARY KEY REFERENCES requests(id), by TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS looks (  -- of people; see grader/gradebook/looks.py
    id INTEGER PRIMARY KEY, submission INTEGER NOT NULL REFERENCES submissions(id), reason TEXT NOT NULL,
    by TEXT NOT NULL, at REAL NOT NULL, UNIQUE (submission, reason));
CREATE TRIGGER IF NOT EXISTS decisions_stay BEFORE UPDATE ON decisions
    BEGIN SELECT RAISE(ABORT, 'a decision is never changed, another is added'); END;
CREATE TRIGGER IF NOT EXISTS decisions_are_kept BEFORE DELETE ON decisions
    BEGIN SELECT RAISE(ABORT, 'a decision is never deleted'); END;
"""


def make(path: Path) -> None:
    """Make a gradebook, whole or not at all: one without tables is never what a run left that was killed.

    Raises:
        sqlite3.Error, OSError: none can be kept there.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    try:
        with contextlib.closing(sqlite3.connect(part, isolation_level=None)) as db:
            db.executescript(TABLES)
        try:
            os.link(part, path)
        except FileExistsError:  # another process was faster
            pass
        except OSError:  # a file system without links
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def is_gradebook(db: sqlite3.Connection) -> bool:
    """Whether a SQLite file has the tables that every gradebook has."""
    names = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return {"settings", "submissions", "grades"} <= names


def add_verdicts(db: sqlite3.Connection) -> None:
    """Give a gradebook the column that it has not from an earlier day of this version."""
    if _has_verdicts(db):
        return
    db.execute("BEGIN IMMEDIATE")  # another process may be at it
    if not _has_verdicts(db):
        db.execute("ALTER TABLE grades ADD COLUMN verdicts BLOB")
    db.execute("COMMIT")


def _has_verdicts(db: sqlite3.Connection) -> bool:
    return "verdicts" in [row[1] for row in db.execute("PRAGMA table_info(grades)")]
