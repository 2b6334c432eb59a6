"""What SQLite says of a gradebook, and what to do about it."""

import sqlite3
from pathlib import Path

DAMAGED = "it is damaged: take a copy from before, or grade again into another --out"
UNWRITABLE = "even to be read, it must be writable: copy its folder to a place where it is, and name that with --out"
ADVICE = {  # by words of SQLite's
    "is full": "make room there, and start again: what was kept is there",
    "disk I/O error": "look whether a quota, a limit on the size of files or a network disk is in the way, and start "
    "again: what was kept is there",
    "is malformed": DAMAGED,
    "Could not decode": DAMAGED,
    "is locked": "another command is at it: start again when that has ended",
    "unable to open": UNWRITABLE,
    "readonly": UNWRITABLE,
}


def words(error: Exception) -> str:
    """What is in the way and what to do; empty where that is no news of the disk, but a fault of the grader's."""
    problem = str(error).partition(" with text ")[0]  # and then comes all of it
    return next((f"{problem}; {advice}" for sign, advice in ADVICE.items() if sign in problem), "")


def of_opening(path: Path, error: OSError | sqlite3.Error) -> str:
    """The same of a gradebook that could not be opened."""
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
        return f"is no gradebook, or a damaged one: {error}; take a copy from before, or choose another --out"
    if isinstance(error, sqlite3.Error) and path.is_file() and (said := words(error)):
        return f"cannot be opened: {said}"
    return f"no gradebook can be kept there: {error}"
