"""Grade a class: what is missing, and only that.

A submission is either done, with its grade and observations committed in one transaction, or not; so a run
may be killed at any instant and started again. One whose grading came to no end, or took the workers with
it, is a suspect: it is graded last and alone, with fresh workers. After more such ends it needs review.
"""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass, replace
from typing import Any

from grader import sharing
from grader.errors import GraderError, ReadingFailed
from grader.firewall import Firewall
from grader.gradebook import digests
from grader.gradebook.adjusting import Adjuster
from grader.gradebook.digests import Digests
from grader.gradebook.inputs import handed_in
from grader.gradebook.places import GradingPlace, PlaceLost
from grader.gradebook.store import Gradebook, GradeRow, PackedGrade, SubmissionRow
from grader.gradebook.task import Task, unfinished
from grader.intake import Found
from grader.intake.opening import printable_path
from grader.records import Grade

MAX_STARTS = 10  # … and after which it is not started again


@dataclass(frozen=True)
class Done:
    """One submission with its grade; ``how`` is "graded", "kept", "regraded" or "given up"."""

    task: Task
    grade: Grade
    how: str


@dataclass(frozen=True)
class RunListener:
    """Told how a run goes on."""

    began: Callable[[Task], None] = lambda task: None
    done: Callable[[Done], None] = lambda done: None


class Run:
    """One run over a class.

    Args:
        book: where grades are kept, and looked for first.
        place: where the others are graded.
        now: what today's grades rest on; a kept grade counts when it rests on the same.
        class_seed: what the students' seeds are drawn from.
        seed: the seed of every submission, instead.
        regrade: computes a grade again from what was observed, or returns None where it cannot.
        max_score: of the rubric.
        watch: told of what begins and ends.
        retry: grade again what needs review.
    """

    max_without_a_worker = 3  # submissions in a row without a worker, none graded: nothing can be graded here
    max_starts_beside_others = 3  # starts without an end, after which a submission runs alone

    def __init__(
        self, book: Gradebook, place: GradingPlace, now: Digests, class_seed: int, *, seed: int | None = None,
        regrade: Callable[[SubmissionRow, GradeRow], PackedGrade | None] = lambda row, kept: None,
        max_score: float = 100.0, watch: RunListener | None = None, retry: bool = False,
    ) -> None:  # fmt: skip
        self.book, self.place, self.now, self.class_seed, self.seed = book, place, now, class_seed, seed
        self.regrade, self.max_score, self.watch = regrade, max_score, watch or RunListener()
        self.retry, self.wall = retry, Firewall()
        self.done: dict[int, Done] = {}
        self.rows: dict[int, SubmissionRow] = {}
        self.suspects: list[Task] = []
        self.running: dict[Future[PackedGrade], Task] = {}
        self.in_a_row = 0
        self.decided = Adjuster(book)

    def grade(self, found: Sequence[Found]) -> list[Done]:
        """Grade what the gradebook lacks.

        Returns:
            all that was found, in that order, with what people decided about it.

        Raises:
            GraderError: nothing can be graded here.
        """
        number = self.book.next_run()
        tasks = [(each, self.hand_in(each, number)) for each in found]
        self.rows = {row.id: row for _, row in tasks}
        once = {row.id: (each, row) for each, row in reversed(tasks)}  # the same from two places is one
        todo = [task for each, row in reversed(once.values()) if (task := self._todo(each, row)) is not None]
        begun = {row.id: row.begun for _, row in tasks}
        todo.sort(key=lambda task: begun[task.submission])  # of suspects, those first that came to no end least often
        self.suspects = [task for task in todo if begun[task.submission] >= self.max_starts_beside_others]
        try:
            if todo:
                self.place.ready()
            self._side_by_side([task for task in todo if begun[task.submission] < self.max_starts_beside_others])
            self._once_more()
            for task in self.suspects:
                self._alone(task)
        except (KeyboardInterrupt, CancelledError, GraderError):  # said by whoever runs this, not by a submission
            for task in self.running.values():
                self.book.leave(task.submission)
            raise
        decided = Adjuster(self.book)  # as people have decided meanwhile
        return [replace(self.done[row.id], grade=decided.grade(row, self.done[row.id].grade)) for _, row in tasks]

    def _once_more(self) -> None:
        """Where many came to no end it was the place, not they: all of them again, with fresh workers."""
        again = [task for task in self.suspects if self.book.begun(task.submission) < self.max_starts_beside_others]
        if len(again) > self.max_without_a_worker:
            self.suspects = [task for task in self.suspects if task not in again]
            self.place.renew()
            self.place.ready()
            self._side_by_side(again)

    def hand_in(self, found: Found, number: int) -> SubmissionRow:
        """Note that a run found a submission."""
        facts: dict[str, Any] = {
            "path": printable_path(found.path.absolute()),
            "files": json.dumps({name: str(path.absolute()) for name, path in found.files.items()}),
            "late": found.late, "handed_in": handed_in(found), "student": found.id, "attempt": found.attempt,
            "run": number,
        }  # fmt: skip
        key = printable_path(found.key)
        return self.book.submission_row(key, digests.fingerprint(found), lambda: digests.content(found), facts)

    def _todo(self, found: Found, row: SubmissionRow) -> Task | None:
        """What is to be done about a submission; None when it is done."""
        seed = self.seed if self.seed is not None else sharing.student_seed(self.class_seed, row.key)
        kept = self.book.latest(row.id)
        task = Task(row.id, found, kept.seed if kept and self.seed is None else seed)
        if kept is not None and self.retry and self.decided.grade(row, kept.grade).status == "needs_review":
            return task
        if kept is None or kept.seed != task.seed or _asking(kept.digests) != _asking(self.now):
            return Task(row.id, found, seed)
        if kept.digests == self.now:
            here = {**kept.grade.submission, "path": str(found.path)}  # it may have been moved since
            self._tell(Done(task, replace(kept.grade, submission=here), "kept"))
            return None
        try:
            packed = self.regrade(row, kept)
        except Exception:  # what was kept cannot be read, or not be judged: it is graded from its files again
            packed = None
        if packed is None:
            return task
        self._finish(task, packed, "regraded")
        return None

    def _side_by_side(self, tasks: Sequence[Task]) -> None:
        waiting = iter(tasks)
        while True:
            while len(self.running) < self.place.width and (task := next(waiting, None)) is not None:
                self.book.begin(task.submission)
                self._start(task)
            if not self.running:
                return
            for future in wait(self.running, return_when=FIRST_COMPLETED).done:
                self._ended(self.running.pop(future), future)

    def _start(self, task: Task) -> "Future[PackedGrade]":
        self.wall.attempt("the table of what is graded", lambda: self.watch.began(task), None)
        future = self.place.submit(task)
        self.running[future] = task
        return future

    def _ended(self, task: Task, future: "Future[PackedGrade]") -> None:
        error = future.exception()
        if error is None:
            self.in_a_row = 0
            self._finish(task, future.result(), "graded")
            return
        if isinstance(error, CancelledError | KeyboardInterrupt | PlaceLost):
            self.book.leave(task.submission)
            raise error
        if isinstance(error, ReadingFailed):
            self._give_up(task, words(error))
            return
        self.suspects.append(task)
        self.in_a_row += 1
        if self.in_a_row >= self.max_without_a_worker and not any(done.how == "graded" for done in self.done.values()):
            for suspect in self.suspects[-self.max_without_a_worker :]:
                self.book.leave(suspect.submission)
            raise error if isinstance(error, GraderError) else GraderError(words(error))

    def _alone(self, task: Task) -> None:
        """Grade one that may take the workers with it."""
        if self.book.begun(task.submission) >= MAX_STARTS:
            self._give_up(task, f"its grading was begun {MAX_STARTS} times and came to no end")
            return
        self.place.renew()
        self.place.ready()
        self.book.begin(task.submission)
        future = self._start(task)
        wait([future])
        del self.running[future]
        error = future.exception()
        if error is None:
            self._finish(task, future.result(), "graded")
        elif isinstance(error, CancelledError | KeyboardInterrupt | PlaceLost):
            self.book.leave(task.submission)
            raise error
        else:
            self._give_up(task, words(error))

    def _give_up(self, task: Task, why: str) -> None:
        reason = f"{why}; no points were taken off, a person should look at it"
        self._finish(task, PackedGrade(unfinished(task, reason, self.max_score)), "given up")

    def _finish(self, task: Task, packed: PackedGrade, how: str) -> None:
        self.book.finish(task.submission, self.now, packed)
        self._tell(Done(task, packed.grade, how))

    def _tell(self, done: Done) -> None:
        self.done[done.task.submission] = done
        self.wall.attempt("the table of what is graded", lambda: self.watch.done(self._decided(done)), None)

    def _decided(self, done: Done) -> Done:
        """The same as it will be reported: with what people had decided when the run began."""
        return replace(done, grade=self.decided.grade(self.rows[done.task.submission], done.grade))


def _asking(digests: Digests) -> tuple[str, str]:
    return digests.asks, digests.environment


def words(error: BaseException) -> str:
    """An error in one line."""
    return str(error) if isinstance(error, GraderError) else f"{type(error).__name__}: {error}"
