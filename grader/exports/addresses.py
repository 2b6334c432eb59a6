"""Where Moodle and Canvas look for the student whom a returned file is for: in its name."""

from collections.abc import Callable, Mapping

from grader import patterns
from grader.gradebook.reader import GradedSubmission
from grader.gradebook.store import SubmissionRow
from grader.intake.layouts import moodle_name
from grader.intake.reading.members import is_archive


class NoAddress(Exception):
    """A student whom the platform would not find; the message says what is missing."""


def moodle(entry: GradedSubmission) -> tuple[str, str]:
    """The names of a student's page and notebook in a zip for Moodle: in the folder of the bulk download.

    Raises:
        NoAddress: neither the download nor the roster says the participant's number.
    """
    downloaded = _moodle_folder(entry.own or entry.row)
    # what Moodle itself leaves out of a file's name, and the underscore at which it divides it
    unfit = patterns.compile(r"[\\/:*?\"'<>|&_\pC]+|\.\.+")
    if downloaded and entry.own is not None:
        folder = downloaded
    else:
        name = entry.student.name if entry.student is not None and entry.student.name else entry.key
        ident = _number(
            entry.platform_id, "no participant number of Moodle's: neither the download nor the roster has it"
        )
        last = "" if downloaded and not downloaded.endswith("_") else "_"
        folder = f"{' '.join(unfit.sub(' ', name).split()).strip('.') or 'student'}_{ident}_assignsubmission_file{last}"
    return f"{folder}/feedback.html", f"{folder}/notebook.html"


def _moodle_folder(row: SubmissionRow) -> str:
    """The student's folder as Moodle named it, or the beginning of the files' names; empty where it was not Moodle."""
    folder = not row.files and not is_archive(row.path.name)
    for path in row.files.values() or [row.path]:
        if (found := moodle_name(path.name, folder)) and found["kind"] == "file":
            return path.name[: len(path.name) - len(found["original"])]
    return ""


def canvas(entry: GradedSubmission) -> tuple[str, str]:
    """The same for Canvas, which reads the first two numbers between underscores: the user's and the attachment's.

    Raises:
        NoAddress: neither the download nor the roster says them.
    """
    user = _number(entry.platform_id, "no user id of Canvas's: neither the download nor the roster has it")
    attachment = _number(
        (entry.own or entry.row).attempt, "no attachment id: it was not handed in through a bulk download of Canvas's"
    )
    name = "".join(character for character in entry.key if character.isalnum())
    first = name if name and not name.isdigit() else f"student{name}"  # a number would be taken for the user's
    return f"{first}_{user}_{attachment}_feedback.html", f"{first}_{user}_{attachment}_notebook.html"


def _number(text: str | None, otherwise: str) -> str:
    number = patterns.compile(r"[0-9]{1,20}")
    if text is None or not number.fullmatch(text):
        raise NoAddress(otherwise)
    return text


ADDRESS: Mapping[str, Callable[[GradedSubmission], tuple[str, str]]] = {  # by the name of the export
    "moodle-feedback": moodle,
    "canvas-feedback": canvas,
}
