"""Training runs, read from what the cells of a notebook printed.

A run is a stretch of output whose epochs count up. Only lines are read, whoever wrote them: print, logging, or a
progress bar.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from grader import patterns
from grader.patterns import Match, Pattern
from grader.records import CellLog, Submission

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
VALUE = rf"(?:np\.|numpy\.|torch\.)?(?:float\d+|tensor|array)?[^\w.+-]{{0,3}}({NUMBER})"


@dataclass
class PrintedRun:
    """One training as its output shows it.

    Attributes:
        epochs: their numbers, in order, without repetitions.
        total: the number of epochs that it says it has, most often.
        totals: how often it says each number.
        best: every best score, as a fraction.
        best_after: how many epochs' numbers had been printed before each.
        opened_by_epoch: an epoch's number was printed before the first score.
    """

    cells: list[CellLog] = field(default_factory=list)
    epochs: list[int] = field(default_factory=list)
    total: int | None = None
    totals: Counter[int] = field(default_factory=Counter)
    best: list[float] = field(default_factory=list)
    best_after: list[int] = field(default_factory=list)
    opened_by_epoch: bool = False

    @property
    def count(self) -> int | None:
        """How many epochs there are: ``total``, one more where they begin at 0 and end with "19/19", or those shown."""
        if self.total is None:
            return len(self.epochs) if self.epochs and not self.gaps else None
        return self.total + (self.epochs[0] == 0 and self.epochs[-1] == self.total)

    @property
    def gaps(self) -> list[int]:
        """Epochs between the first and the last one that no line shows."""
        return sorted(set(range(self.epochs[0], self.epochs[-1])) - set(self.epochs)) if self.epochs else []

    @property
    def best_epochs(self) -> list[int] | None:
        """The epoch of each best value, counted as the log counts; None where no epochs are counted.

        A log that prints an epoch's number when the epoch is over prints its value before the number.
        """
        if not self.epochs:
            return None
        offset = -1 if self.opened_by_epoch else 0
        return [self.epochs[min(max(0, before + offset), len(self.epochs) - 1)] for before in self.best_after]

    @property
    def stopped_early(self) -> bool:
        """Whether its last lines say that it ended before its last epoch because nothing got better."""
        early = patterns.compile(r"\bearly[ _-]?stop|\bstop(?:ped|ping) early", ignore_case=True)
        return bool(self.cells) and bool(early.search("\n".join(self.cells[-1].text.splitlines()[-5:])))

    @property
    def regular(self) -> bool:
        """Whether epochs are printed one by one, or each so many."""
        return len({b - a for a, b in zip(self.epochs, self.epochs[1:], strict=False)}) <= 1


@dataclass(frozen=True)
class LogReader:
    """Reads the runs of one training function.

    Attributes:
        function: its name: a cell that calls it trains.
        best: the pattern of a line with the best score so far, its number as first group.
        score: the pattern of one with a score, in the output of a cell that trains and prints no best one.
    """

    function: str
    best: Pattern
    score: Pattern

    def last_run(self, cells: tuple[CellLog, ...]) -> PrintedRun | None:
        """The last training that the outputs show; None where they show none.

        A cell that calls the function and failed is a run too, if no whole one follows it.
        """
        runs = [run for run in self.runs(cells) if run.best]
        counted = [run for run in runs if run.epochs]
        found = next(iter([*runs, *counted][::-1]), None)
        training = [cell for cell in cells if self.trains(cell) and (cell.text.strip() or errors_of(cell))]
        later = [cell for cell in training if found is None or cell.cell > found.cells[-1].cell]
        if found is None and later:
            return PrintedRun(cells=[later[-1]])
        if found is not None:
            found.cells += [cell for cell in later if errors_of(cell)]
        return found

    def training_cells(self, submission: Submission) -> list[int]:
        """The cells whose output shows the last training."""
        run = self.last_run(submission.cells)
        return [] if run is None else [cell.cell for cell in run.cells]

    def trains(self, cell: CellLog) -> bool:
        """Whether a cell calls the function."""
        code = "\n".join(line for line in cell.source.splitlines() if not line.lstrip().startswith("#"))
        calls = patterns.compile(rf"(?P<defined>def )?\b{self.function}\s*\(")
        return any(found["defined"] is None for found in calls.finditer(code))

    def runs(self, cells: tuple[CellLog, ...]) -> list[PrintedRun]:
        """All runs, those of other trainings as well."""
        runs = [PrintedRun()]
        for cell in cells:
            fresh, events = True, list(self._events(cell))
            scored = self.trains(cell) or any(best is not None for _, _, best in events)
            for epoch, total, best in events:
                another = fresh and bool(runs[-1].best) and not scored  # that counts on by chance: 1 to 4, then 5
                if another or _begins(runs[-1], epoch, total, cell, fresh):
                    runs.append(PrintedRun())
                _add(runs[-1], cell, epoch, total, best)
                fresh = False
        return [run for run in runs if run.cells]

    def _events(self, cell: CellLog) -> Iterator[tuple[int | None, int | None, float | None]]:
        """(epoch, total, best) of every line that tells one of them."""
        score = self.best if self.best.search(cell.text) or not self.trains(cell) else self.score
        epoch = _epoch_pattern(cell.text)
        for line in filter(str.strip, cell.text.splitlines()):
            found = [(m.start(), m, True) for m in _counting(epoch, line) if _count(m["epoch"]) is not None]
            found += [(m.start(), m, False) for m in score.finditer(line)]
            for _, match, is_epoch in sorted(found, key=lambda item: item[0]):
                if is_epoch:
                    yield _count(match["epoch"]), _count(match["total"]), None
                else:
                    yield None, None, _fraction(match[1])


def errors_of(cell: CellLog) -> tuple[str, ...]:
    """Errors that a cell ended with or printed: "NameError: name 'x' is not defined"."""
    return cell.errors or tuple(_printed_errors(cell.text.splitlines()))


def _printed_errors(lines: list[str]) -> Iterator[str]:
    """The error of each traceback among lines, which is its first line that is not indented; that of a
    KeyboardInterrupt stands alone."""
    inside = False
    traceback = "Traceback (most recent call last)"
    for line in lines:
        if line.startswith(traceback):
            if inside:
                yield traceback
            inside = True
        elif inside and line.strip() and not line[0].isspace():
            yield line.strip()[:300]
            inside = False
        elif not inside and line.startswith("KeyboardInterrupt"):
            yield line.strip()[:300]
    if inside:
        yield traceback


def _begins(run: PrintedRun, epoch: int | None, total: int | None, cell: CellLog, fresh: bool) -> bool:
    """Whether an event belongs to a new run: epochs count anew, or a cell begins with a score."""
    if not run.cells:
        return False
    if epoch is None:
        return fresh
    if not run.epochs:
        return run.cells[-1] is not cell
    other = total is not None and run.total is not None and total != run.total
    return epoch < run.epochs[-1] or (other and epoch <= 1) or (epoch == run.epochs[-1] and fresh and epoch <= 1)


def _add(run: PrintedRun, cell: CellLog, epoch: int | None, total: int | None, best: float | None) -> None:
    if not run.cells or run.cells[-1] is not cell:
        run.cells.append(cell)
    if best is not None:
        run.best.append(best)
        run.best_after.append(len(run.epochs))
    if epoch is not None:
        run.opened_by_epoch |= not run.epochs and not run.best
        run.epochs += [] if run.epochs and run.epochs[-1] == epoch else [epoch]
    if epoch is not None and total is not None:
        run.totals[total] += 1
        if run.total is None or run.totals[total] > run.totals[run.total]:
            run.total = total


def _counting(epoch: Pattern | None, line: str) -> list[Match]:
    """The epochs that a line counts; "Best Precision@1: 0.77 (epoch 7)" counts none."""
    if epoch is None:
        return []
    best_word = patterns.compile("best", ignore_case=True)
    best = best_word.search(line)
    end = len(line) if best is None else best.end()
    return [match for match in _accepted(epoch, line) if match.start() < end]


def _accepted(epoch: Pattern, text: str) -> Iterator[Match]:
    """Matches that are numbers of epochs and nothing else."""
    return (match for match in epoch.finditer(text) if match["other"] is None)


def uncountable(cell: CellLog) -> str:
    """The first number of an epoch that is too long for one; empty where there is none."""
    epoch = _epoch_pattern(cell.text)
    matches = (match for line in cell.text.splitlines() for match in _counting(epoch, line))
    numbers = (digits for match in matches for digits in (match["epoch"], match["total"]) if digits)
    return next((digits for digits in numbers if _count(digits) is None), "")


def _epoch_pattern(text: str) -> Pattern | None:
    """How a cell counts its epochs."""
    # "other" is what a number of an epoch has not: a percentage, which is how far a progress bar has come, a part of an
    # epoch as in "epoch 2.5", another word before the brackets
    epoch = patterns.compile(
        r"\bep(?:och)?s?\b(?: ?\+ ?1 ?=)?\W{0,4}(?P<epoch>\d+)"
        r"(?:(?P<other>[\d.]*\s?%|\.\d*[1-9])|\s*(?:/|of|out of)\s*(?P<total>\d+))?",
        ignore_case=True,
    )
    brackets = patterns.compile(
        r"(?P<other>step |batch |iter )?[\[(]\s*(?P<epoch>\d+)\s*/\s*(?P<total>\d+)\s*[\])]", ignore_case=True
    )
    return next((each for each in (epoch, brackets) if any(True for _ in _accepted(each, text))), None)


def bars(cell: CellLog) -> list[tuple[int, int]]:
    """(done, total) of every progress bar, as it stood in the end."""
    bar = patterns.compile(r"(\d+)%\|[^|\n]*\|\s*(\d+)/(\d+)")
    found = [(_count(done), _count(total)) for _, done, total in bar.findall(cell.text)]
    return [(done, total) for done, total in found if done is not None and total is not None]


def _count(digits: str | None) -> int | None:
    """A number of epochs or batches; None where there is none, or one that nobody counts to."""
    max_digits = 5  # of the number of an epoch, or of the batches of one: what is longer counts something else
    return int(digits.lstrip("0") or "0") if digits and len(digits.lstrip("0")) <= max_digits else None


def _fraction(value: str) -> float:
    """A score from 0 to 1; with or without its sign nobody's is below one per cent."""
    number = float(value)
    return number / 100 if 1 < number <= 100 else number
