"""Feedback that gets home: each student's page, and the annotated notebook, in zips as Moodle and Canvas take them."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath

from grader.errors import GraderError
from grader.exports import zips
from grader.exports.addresses import ADDRESS, NoAddress
from grader.exports.releasing import not_yet
from grader.exports.result import of_entry
from grader.exports.zips import EarlierZips, Parcel
from grader.firewall import Firewall
from grader.gradebook.reader import GradebookReader, GradedSubmission
from grader.reports.html import notebook, student
from grader.reports.html.notebooks.client import Renderer
from grader.reports.html.pages import digest_of, has_stamp, stamp_of
from grader.reports.html.student import PageLink

AS_COMMENTS = "canvas-feedback"  # each upload makes a new comment there: a page is packed once


@dataclass(frozen=True)
class FeedbackOptions:
    """What is packed, and where.

    Attributes:
        format: a key of ``ADDRESS``.
        target: the zip, or what the numbered zips are called after.
        max_bytes: of a zip.
        early: pages are packed before the student's deadline has passed, too.
        again: pages that were packed before are packed again.
    """

    format: str
    target: Path
    max_bytes: float = math.inf
    early: bool = False
    again: bool = False


@dataclass
class Packed:
    """What became of an export.

    Attributes:
        zips: that were written.
        keys: whose pages are in them.
        before: whose page, the very same, was packed by an earlier export.
        held_back: by student, why there is no page yet; time will change it.
        left_out: by student, why there is none; a person should look at it.
        trouble: pictures and the like that a page had to do without, a line each.
    """

    zips: list[Path] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    held_back: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    trouble: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class DuePage:
    """A page that is to be packed: whose it is, what it says besides the grade, and the names that it and the notebook get."""

    entry: GradedSubmission
    note: str
    names: tuple[str, str]

    @property
    def said(self) -> str:
        """What the ledger notes: the same words mean the same page."""
        return f"{self.entry.points:g} points, page {digest_of(self.entry.grade, self.note)[:12]}"


def pack(reader: GradebookReader, options: FeedbackOptions) -> Packed:
    """Pack the pages of a class.

    Raises:
        GraderError: nothing can be written there, or a zip there holds pages that would be lost.
    """
    packed = Packed()
    due = _due(reader, options, packed)
    if not due:
        return packed
    with EarlierZips(options.target) as earlier:
        if options.format == AS_COMMENTS:
            _expect_nothing_lost(options.target, earlier, due)
        made = PageMaker(reader, earlier, packed)
        try:
            packed.zips, too_large = zips.write(options.target, made.parcels(due), options.max_bytes)
        finally:
            made.close()
    size = f"its page alone is larger than {options.max_bytes / 1e6:g} MB"
    packed.left_out |= {parcel.key: size for parcel in too_large}
    packed.keys = [each.entry.key for each in due if each.entry.key not in packed.left_out]
    news = {each.entry.key: each.said for each in due if each.entry.key in packed.keys}
    reader.ledger.note_exports(
        options.format, {key: said for key, said in news.items() if _last_said(reader, options.format, key) != said}
    )
    return packed


def _due(reader: GradebookReader, options: FeedbackOptions, packed: Packed) -> list[DuePage]:
    """The pages that are to be packed; what becomes of the others is noted."""
    now, due = time.time(), dict[str, DuePage]()
    for entry in reader.entries():
        if not options.early and (why := not_yet(entry, reader.policy, now)):
            packed.held_back[entry.key] = why
            continue
        if entry.open or entry.excused:
            packed.left_out[entry.key] = "excused, there is no score" if entry.excused else "needs review"
            continue
        try:
            page = DuePage(entry, _note(entry), ADDRESS[options.format](entry))
        except NoAddress as missing:
            packed.left_out[entry.key] = str(missing)
            continue
        said = (
            _last_said(reader, options.format, entry.key) if options.format == AS_COMMENTS and not options.again else ""
        )
        if page.said == said:
            packed.before.append(entry.key)
        elif page.names[0] in due:
            packed.left_out[entry.key] = f"{page.names[0]} is the page of {due[page.names[0]].entry.key}"
        else:
            due[page.names[0]] = page
    return list(due.values())


def _note(entry: GradedSubmission) -> str:
    """What a page says of lateness and attempts."""
    counted = f"{entry.points:g} of {entry.grade.max_score:g} points count" if entry.points != entry.grade.score else ""
    return "; ".join(filter(None, [of_entry(entry).note, counted]))


def _last_said(reader: GradebookReader, format_: str, key: str) -> str:
    return next((each.said for each in reversed(reader.ledger.exports(key)) if each.format == format_), "")


def _expect_nothing_lost(target: Path, earlier: EarlierZips, due: Sequence[DuePage]) -> None:
    """Refuse to replace a zip that holds other pages: nobody knows whether it was uploaded.

    Raises:
        GraderError: one is there.
    """
    if set(earlier) - {name for each in due for name in each.names}:
        raise GraderError(
            f"{target}: it may not have been uploaded yet and holds pages that are not packed twice; "
            "remove it when it has been, or name another file with --to"
        )


class PageMaker:
    """Makes pages, unless an earlier zip holds them; what one raises costs that one alone."""

    def __init__(self, reader: GradebookReader, earlier: EarlierZips, packed: Packed) -> None:
        self.reader, self.earlier, self.packed = reader, earlier, packed
        self.renderer = Renderer()

    def parcels(self, due: Sequence[DuePage]) -> Iterator[Parcel]:
        """What each student gets."""
        for each in due:
            wall = Firewall()
            files = wall.attempt("the page", partial(self._files, each, wall), None)
            if files is None:
                self.packed.left_out[each.entry.key] = wall.lines[0]
            else:
                self.packed.trouble += [f"{each.entry.key}: {line}" for line in wall.lines]
                yield Parcel(each.entry.key, files)

    def _files(self, due: DuePage, wall: Firewall) -> dict[str, bytes]:
        stamp = stamp_of(due.entry.grade, due.note)
        old = {name: content for name in due.names if (content := self.earlier.read(name))}
        if has_stamp(old.get(due.names[0], b""), stamp):
            return old
        page, book = (PurePosixPath(name).name for name in due.names)
        with self.reader.evidence(due.entry) as evidence:
            files = {}
            cells = notebook.rendered_again(evidence, self.renderer, due.entry.row.files or None) if evidence else None
            if evidence is not None and cells is not None:
                files[due.names[1]] = notebook.page(due.entry.grade, evidence, cells, (PageLink(page, "The grade"),))
            links = (PageLink(book, "Your notebook"),) if files else ()
            files[due.names[0]] = student.page(due.entry.grade, evidence, links, stamp=stamp, wall=wall, note=due.note)
        return {name: files[name].encode("utf-8", "replace") for name in due.names if name in files}

    def close(self) -> None:
        """End the process that renders notebooks."""
        self.renderer.close()
