"""A class on the command line: the gradebook opened, the place chosen, interrupts turned into words."""

import contextlib
import dataclasses
import fcntl
import secrets
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import IO, TYPE_CHECKING

from grader.errors import GraderError
from grader.firewall import Firewall
from grader.gradebook import digests, packing, similarity
from grader.gradebook.basis import refuse_another
from grader.gradebook.lines import Telling, shown
from grader.gradebook.places import GradingPlace, ThisMachine, cores, default_jobs
from grader.gradebook.reader import GradebookReader, GradedSubmission
from grader.gradebook.regrade import Regrader
from grader.gradebook.remembering import remember
from grader.gradebook.run import Done, Run
from grader.gradebook.store import NAME, Gradebook
from grader.gradebook.task import Step
from grader.intake import Found
from grader.pipeline import Graded, Grader, Options, open_grader
from grader.records import SimilarGroup
from grader.sharing import Shared

if TYPE_CHECKING:
    from grader.reports.html.pages import Pages

MAX_WAIT_SECONDS = 600.0  # for another run to end


@dataclass(frozen=True)
class Spread:
    """How a class is spread over cores or machines."""

    jobs: int | None = None  # submissions at a time; by cores and memory where there is none
    scheduler: str | None = None  # of a Dask cluster, "tcp://host:8786"
    resources: str | None = None  # that a Dask worker must have, "MEMORY=8"


def grade_class(found: Sequence[Found], options: Options, only: Sequence[str] | None = None,
                spread: Spread | None = None, retry: bool = False, telling: Telling = "auto") -> list[Done]:  # fmt: skip
    """Grade what the gradebook in the output folder lacks.

    Args:
        found: the submissions.
        options: how to grade.
        only: criteria to judge.
        spread: over cores or machines.
        retry: grade again what needs review.
        telling: how the run tells what it does.

    Raises:
        GraderError: nothing can be graded here, or another run is at it.
        KeyboardInterrupt: the run was stopped; the message says how to go on.
    """
    with alone(options.out), contextlib.closing(Gradebook(options.out / NAME)) as book, terminable():
        refuse_another(book, options.assignment)
        regrader = Regrader(options, book)
        remember(book, options)
        table = shown(len(found), telling)
        place = _place(options, only, spread or Spread(), table.step, book)
        class_seed = int(book.setting("class seed", str(secrets.randbelow(2**31))))
        run = Run(
            book, place, digests.current(options, only), class_seed, seed=options.seed,
            regrade=regrader.regrade, max_score=regrader.max_score(only), watch=table.watch, retry=retry,
        )  # fmt: skip
        try:
            with table:
                return run.grade(found)
        except KeyboardInterrupt:
            ready = f"{len(run.done)} of {len(found)} are graded and kept in {book.path}"
            raise KeyboardInterrupt(f"stopped; {ready}; the same command goes on from there") from None
        finally:
            place.close()
            regrader.close()


def _place(options: Options, only: Sequence[str] | None, spread: Spread, step: Step, book: Gradebook) -> GradingPlace:
    if spread.scheduler is not None:
        from grader.gradebook.cluster import Cluster  # noqa: PLC0415  few classes are graded on a cluster

        return Cluster(spread.scheduler, options, only, spread.resources)
    jobs = spread.jobs or default_jobs()
    share = dataclasses.replace(options, threads=max(1, cores() // jobs))
    shared = Shared(packing.recall(book.frame, options.assignment.forms))
    return ThisMachine(lambda: opened(share, only, shared), jobs, only, step)


def remarks(options: Options) -> list[str]:
    """What is to be said after the grades of a class, a line each: who handed in nearly the same."""
    wall = Firewall()
    with GradebookReader(options.out, rubric=options.rubric_file) as reader:
        groups, said = _similar(reader, wall), [*reader.late_remarks(), *reader.roster_remarks()]
    if wall.faults:
        return ["", *said, *wall.lines]
    max_shown_groups = 10  # of similar submissions that are listed after a run
    lines = [f"  {group}" for group in groups[:max_shown_groups]]
    if len(groups) > max_shown_groups:
        lines.append(f"  and {len(groups) - max_shown_groups} more groups: grade.py similar --out {options.out}")
    said += ["Nearly the same (no points depend on it):", *lines] if groups else []
    return ["", *said] if said else []


def _similar(reader: GradebookReader, wall: Firewall) -> list[SimilarGroup]:
    none: list[SimilarGroup] = []
    return wall.attempt("the search for similar work", lambda: similarity.similar(reader.book, reader.entries()), none)


def write_pages(options: Options, pages: "Pages") -> list[str]:
    """Write the pages of a class from its gradebook; returns what is to be said: where they are, what could not be made."""
    wall = Firewall()
    with (
        contextlib.closing(pages),
        GradebookReader(options.out, rubric=options.rubric_file, data=options.data) as reader,
    ):
        for entry in reader.entries():
            add = partial(_add_pages, reader, entry, pages)
            wall.attempt(f"the pages of {entry.key}", add, None)
        groups = _similar(reader, wall)
        index = wall.attempt("the page of the class", lambda: pages.index(groups, list(reader.not_handed_in())), None)
    where = [f"Pages: {index or pages.folder}"]
    return [*where, *pages.trouble.values(), *wall.lines]


def _add_pages(reader: GradebookReader, entry: GradedSubmission, pages: "Pages") -> None:
    with reader.evidence(entry) as evidence:
        pages.add(Graded(entry.grade, evidence), entry.points, _late(entry), entry.row.files or None, entry.excused)


def _late(entry: GradedSubmission) -> str:
    if not entry.days_late:
        return ""
    bank = f" ({entry.lateness.from_bank} from the bank)" if entry.lateness.from_bank else ""
    return f"{entry.days_late} d{bank}, {'open' if entry.open else f'−{entry.deduction:g}'}"


def opened(options: Options, only: Sequence[str] | None, shared: Shared | None = None) -> Grader:
    """Open a grader that judges some criteria only, of submissions that have something in common."""
    grader = open_grader(options)
    grader.shared = shared
    grader.rubric = grader.rubric.narrowed(only)
    return grader


@contextlib.contextmanager
def alone(out: Path) -> Iterator[None]:
    """Keep two runs from grading the same class at the same time: the second waits for a while.

    Raises:
        GraderError: the first is still at it.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        file = (out / "gradebook.lock").open("a")
    except OSError as error:
        raise GraderError(f"{out}: nothing can be written there: {error.strerror or error}") from None
    with file:
        if not _locked(file):
            print(f"{out}: another run is grading into this folder; waiting for it", file=sys.stderr)
            until = time.monotonic() + MAX_WAIT_SECONDS
            while not _locked(file):
                if time.monotonic() > until:
                    raise GraderError(f"{out}: another run is still grading into this folder; take another --out")
                time.sleep(0.2)
        yield


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Have SIGTERM end a run as Ctrl-C does: batch systems send it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
