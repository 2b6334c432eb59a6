"""The exports that students read: zips of pages, and scores and comments sent to Canvas."""

import argparse
import math
import time
from collections.abc import Mapping
from pathlib import Path

from grader.commands import extras
from grader.errors import GraderError
from grader.exports import canvas_api
from grader.exports.addresses import ADDRESS
from grader.exports.releasing import not_yet
from grader.exports.result import of_class
from grader.gradebook.reader import GradebookReader
from grader.reports.text import complain, printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of these exports."""
    group = parser.add_argument_group("what students read")
    group.add_argument("--now", action="store_true", help="before a student's own deadline has passed, too")
    group.add_argument(
        "--max-mb", type=_size, metavar="N", help="of a zip: several are written where one is not enough"
    )
    group.add_argument("--again", action="store_true", help="canvas-feedback: pages that were packed before, too")
    group.add_argument(
        "--push", action="store_true",
        help="canvas: send scores and comments through its API, as the account of $CANVAS_API_TOKEN (extra: canvas)",
    )  # fmt: skip
    group.add_argument("--dry-run", action="store_true", help="with --push: say what would change, and send nothing")
    group.add_argument("--course", metavar="ID", help="with --push: the course's number; --column is the assignment's")
    group.add_argument("--url", metavar="URL", help="with --push: Canvas's address (default: $CANVAS_API_URL)")


def _size(text: str) -> float:
    try:
        size = float(text)
    except ValueError:
        size = 0.0
    if not 0 < size < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number of megabytes, not {text!r}")
    return size


def expect_options(given: argparse.Namespace) -> None:
    """See that an option of these exports was given to one that has it.

    Raises:
        GraderError: it was not.
    """
    only_of = {  # by option: the exports that it belongs to
        "now": (*ADDRESS, "canvas"), "again": ("canvas-feedback",), "max_mb": tuple(ADDRESS), "push": ("canvas",),
        "dry_run": ("canvas",), "course": ("canvas",), "url": ("canvas",),
    }  # fmt: skip
    for name, formats in only_of.items():
        if getattr(given, name) and given.format not in formats:
            raise GraderError(
                f"--{name.replace('_', '-')}: only {' and '.join(formats)} take{'s' * (len(formats) == 1)} it, {given.format} does not"
            )
    alone = [name for name in ("dry_run", "course", "url", "now") if getattr(given, name)]
    if given.format == "canvas" and alone and not given.push:
        raise GraderError(f"--{alone[0].replace('_', '-')}: canvas takes it with --push")


def feedback(given: argparse.Namespace, reader: GradebookReader) -> int:
    """Pack the pages of a class, and say what became of each; 1 where a person should look at something."""
    extras.need(given.format, "report", "matplotlib", "nbconvert", "nh3")
    from grader.exports.feedback import FeedbackOptions, pack  # noqa: PLC0415  libraries of an extra

    target = given.out / f"{given.format}.zip" if given.to == "-" else Path(given.to)
    most = given.max_mb * 1e6 if given.max_mb else math.inf
    packed = pack(reader, FeedbackOptions(given.format, target, most, given.now, given.again))
    for path in packed.zips:
        print(path)
    before = f", {len(packed.before)} were packed before (--again packs them once more)" if packed.before else ""
    print(f"{_pages(len(packed.keys))}{before}")
    for line in packed.trouble:
        complain(line)
    _tell(packed.held_back)
    return _tell(packed.left_out) or int(bool(packed.trouble))


def _pages(count: int) -> str:
    return "a student's page" if count == 1 else f"the pages of {count} students"


def push(given: argparse.Namespace, reader: GradebookReader) -> int:
    """Send scores and comments to Canvas, or say what would be sent; 1 where a person should look at something."""
    where = canvas_api.place(given.url, given.course, given.column)
    entries, now = {entry.key: entry for entry in reader.entries()}, time.time()
    results, held_back = [], {}
    for result in of_class(reader):
        why = not_yet(entries[result.key], reader.policy, now) if result.key in entries and not given.now else ""
        if why:
            held_back[result.key] = why
        else:
            results.append(result)
    changes, left = canvas_api.plan(where, results, not given.no_comments)
    said = {result.key: result.total for result in results}
    for change in changes:
        print(printable(str(change)))
        if not given.dry_run:
            change.send()
            reader.ledger.note_exports("canvas --push", {change.key: said[change.key]})
    print(f"{len(changes)} of {len(results)} {'would change; nothing was sent' if given.dry_run else 'sent'}")
    _tell(held_back)
    return _tell(left)


def _tell(whys: Mapping[str, str]) -> int:
    """Say a line for each student; 1 where there is one."""
    for key, why in sorted(whys.items()):
        complain(f"{key}: {why}")
    return int(bool(whys))
