"""Grades mutants and tells which of them no criterion noticed.

A mutant is first judged by the criteria that need the name that was changed, or those that use it where it is a helper
or a number; where none of them loses a point, by all.
Nothing is trained, and no checkpoint is there: what the origin loses by that, no mutant loses more.
"""

import copy
import difflib
import itertools
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from grader.mutation.mutations import Mutation
from grader.mutation.places import Source, copied, sources, write
from grader.mutation.users import users
from grader.pipeline import Grader, Options, open_grader
from grader.records import Grade, Program


@dataclass(frozen=True)
class Mutant:
    """One change of one text of a submission.

    Attributes:
        where: what an entry calls the place: the file, or the variant's id.
        origin: the folder of the submission that is changed.
        source: the text that is changed.
        mutation: the change.
    """

    where: str
    origin: Path
    source: Source
    mutation: Mutation

    @property
    def diff(self) -> list[str]:
        """The change as a diff, without its head."""
        gone, come = self.mutation.block()
        return [*(f"-{line}" for line in gone), *(f"+{line}" for line in come)]


@dataclass(frozen=True)
class MutantResult:
    """What became of a mutant.

    Attributes:
        mutant: the mutant.
        lost: the criteria that lost points by the change.
        by_own: whether one of them needs the name that was changed, or one that uses it.
        undecided: the criteria that are in error.
        warned: the warnings that the change brought.
        feedback: what the criteria said that lost.
        seconds: how long it took.
    """

    mutant: Mutant
    lost: tuple[str, ...]
    by_own: bool
    undecided: tuple[str, ...]
    warned: tuple[str, ...]
    feedback: tuple[str, ...]
    seconds: float

    @property
    def survived(self) -> bool:
        """Whether no criterion noticed."""
        return not self.lost


Told = Callable[[MutantResult], None]


class Hunter:
    """Grades changed submissions against what they were before.

    Args:
        options: how to grade; nothing is trained, and the seed is 1 where there is none.
    """

    def __init__(self, options: Options) -> None:
        self.seed = 1 if options.seed is None else options.seed
        self.grader: Grader = open_grader(replace(options, seed=self.seed, train="never", threads=1))
        self.before: dict[tuple[Path, tuple[str, ...]], Grade] = {}
        self.programs: dict[Path, Program] = {}
        self.owned: dict[tuple[Path, str], tuple[str, ...]] = {}

    def close(self) -> None:
        self.grader.close()

    def mutants(self, origin: Path, where: str = "", known: Sequence[str] = (), only: str = "") -> list[Mutant]:
        """All mutants of a submission.

        Args:
            origin: its folder.
            where: what entries call the place; the file's name where there is none.
            known: statements that are not changed here.
            only: part of the name of the places that are changed.
        """
        found = [(where or each.file, each) for each in sources(origin, self._program(origin), known)]
        return [Mutant(name, origin, each, m) for name, each in found if only in name for m in each.mutations()]

    def statements(self, origin: Path) -> list[str]:
        """The statements of a submission that intake keeps."""
        program = self._program(origin)
        return [piece.source for pieces in (program.main, *program.modules.values()) for piece in pieces]

    def _program(self, origin: Path) -> Program:
        if origin not in self.programs:
            with tempfile.TemporaryDirectory(prefix="vit-grade-mutants-") as workspace:
                self.programs[origin] = self.grader.open(origin, Path(workspace)).program
        return self.programs[origin]

    def own(self, mutant: Mutant) -> tuple[str, ...]:
        """The criteria that need the name that was changed, or a name that uses it."""
        place = (mutant.origin, mutant.mutation.owner)
        if place not in self.owned:
            criteria = self.grader.assignment.criteria
            judged = {name for criterion in criteria.values() for name in criterion.names}
            changed = users(self._program(mutant.origin), mutant.mutation.owner, judged)
            self.owned[place] = tuple(ident for ident, c in criteria.items() if changed & set(c.names))
        return self.owned[place]

    def result(self, mutant: Mutant) -> MutantResult:
        """Grade one mutant."""
        start = time.monotonic()
        own = self.own(mutant)
        grade, found = self.compared(mutant.origin, [mutant], own) if own else (None, None)
        by_own = found is not None and bool(found)
        if grade is None or not found:
            grade, found = self.compared(mutant.origin, [mutant], ())
        warned = {w.code for w in grade.warnings} - {w.code for w in self.baseline(mutant.origin, ()).warnings}
        return MutantResult(
            mutant,
            lost=tuple(found or ()),
            by_own=by_own,
            undecided=tuple(c.id for c in grade.criteria if c.status == "error"),
            warned=tuple(sorted(warned)),
            feedback=tuple(f"{c.id} is {c.status}: {c.feedback}" for c in grade.criteria if c.id in (found or ())),
            seconds=time.monotonic() - start,
        )

    def compared(self, origin: Path, mutants: Sequence[Mutant], only: tuple[str, ...]) -> tuple[Grade, list[str]]:
        """Grade an origin with changes, and name the criteria that lose by them."""
        before = {c.id: c.lost for c in self.baseline(origin, only).criteria}
        with tempfile.TemporaryDirectory(prefix="vit-grade-mutants-") as folder:
            target = Path(folder) / origin.name
            copied(origin, target)
            for file, cell, text in changed_texts(mutants):
                write(target, file, cell, text)
            grade = self.graded(target, only)
        if grade.status == "rejected":
            return grade, list(only or before)
        return grade, [c.id for c in grade.criteria if c.lost > before[c.id]]

    def baseline(self, origin: Path, only: tuple[str, ...]) -> Grade:
        """The grade of an origin without its checkpoints."""
        if (origin, only) not in self.before:
            with tempfile.TemporaryDirectory(prefix="vit-grade-mutants-") as folder:
                copied(origin, Path(folder) / origin.name)
                self.before[origin, only] = self.graded(Path(folder) / origin.name, only)
        return self.before[origin, only]

    def graded(self, folder: Path, only: tuple[str, ...]) -> Grade:
        """Grade a folder by some criteria; by all where none is named."""
        grader = copy.copy(self.grader)
        grader.rubric = grader.rubric.narrowed(list(only) or None)
        return grader.graded(folder, self.seed, only=list(only) or None).grade


def changed_texts(mutants: Sequence[Mutant]) -> Iterator[tuple[str, int | None, str]]:
    """The texts that one change makes, or two changes of different lines."""
    if len(mutants) == 2 and mutants[0].source == mutants[1].source:
        one, two = mutants
        text = both(one.source.text, one.mutation.text, two.mutation.text)
        assert text is not None
        yield one.source.file, one.source.cell, text
    else:
        for mutant in mutants:
            yield mutant.source.file, mutant.source.cell, mutant.mutation.text


def both(origin: str, one: str, two: str) -> str | None:
    """A text with the changes of two others, where they change different lines."""
    lines = origin.splitlines(keepends=True)
    edits = []
    for text in (one, two):
        new = text.splitlines(keepends=True)
        codes = difflib.SequenceMatcher(None, lines, new, autojunk=False).get_opcodes()
        edits += [(start, end, new[a:b]) for tag, start, end, a, b in codes if tag != "equal"]
    edits.sort(key=lambda edit: edit[:2])
    if any(end > start or first == start for (first, end, _), (start, _, _) in itertools.pairwise(edits)):
        return None
    for start, end, new in reversed(edits):
        lines[start:end] = new
    return "".join(lines)


def sample(mutants: Sequence[Mutant], count: int, seed: int) -> list[Mutant]:
    """Some of the mutants in an order by chance, the same for the same seed."""
    return random.Random(seed).sample(list(mutants), min(count, len(mutants)))


def hunt(hunter: Hunter, mutants: Sequence[Mutant], jobs: int, seconds: float, told: Told) -> list[MutantResult]:
    """Grade mutants until the time is over.

    Args:
        hunter: grades them.
        mutants: in their order.
        jobs: how many at a time.
        seconds: after which no other one is begun.
        told: called with each result as it is there, one at a time.
    """
    end = time.monotonic() + seconds
    for only in {(), *(hunter.own(mutant) for mutant in mutants)}:
        for origin in {mutant.origin for mutant in mutants}:
            hunter.baseline(origin, only)

    def one(mutant: Mutant) -> MutantResult | None:
        return hunter.result(mutant) if time.monotonic() < end else None

    results = []
    with ThreadPoolExecutor(jobs) as pool:
        for result in pool.map(one, mutants):
            if result is not None:
                told(result)
                results.append(result)
    return results
