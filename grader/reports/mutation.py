"""``grade.py --audit --mutate`` in the terminal: the mutants that no criterion noticed, each as a diff, and the counts."""

import math
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.text import Text

from grader import audit
from grader.errors import GraderError
from grader.mutation import entries, pairs
from grader.mutation.entries import FILE, EquivalentChange
from grader.mutation.hunt import Hunter, Mutant, MutantResult, hunt, sample
from grader.mutation.pairs import MutantPair
from grader.pipeline import Options
from grader.reports.progress import Progress
from grader.reports.text import printable

PAIRS = "pairs"  # what the command line and the entries call them
PAIRS_DRAWN = 300


@dataclass
class MutationPrinter:
    """Prints what an instructor has to look at, and counts.

    Attributes:
        known: the entries of mutants that are right as well.
        every: print every mutant, with what was said of it.
        total: how many will be graded.
        done: how many were.
        counts: of mutants, by what became of them.
        needed: the entries that a mutant needed.
    """

    known: Sequence[EquivalentChange]
    every: bool = False
    console: Console = field(default_factory=lambda: Console(highlight=False))
    progress: Progress = field(default_factory=Progress)
    total: int = 1
    done: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    needed: set[EquivalentChange] = field(default_factory=set)

    @property
    def wrong(self) -> bool:
        """Whether a mutant has to be looked at."""
        return bool(self.counts["survived"] + self.counts["undecided"])

    def result(self, result: MutantResult) -> None:
        """Take in what became of a mutant."""
        mutation = result.mutant.mutation
        word = "undecided" if result.undecided else "killed"
        if result.survived and not result.undecided:
            word = self.explained(result.mutant.where, mutation.function, mutation.changed())
        self.counts.update([word, *(["own"] if result.by_own else [])])
        self.step("mutant")
        if self.every or word in ("survived", "undecided"):
            said = [*result.feedback, *(f"warns {code}" for code in result.warned)]
            said += [f"{criterion} is in error" for criterion in result.undecided]
            self.show(word, [result.mutant], mutation.what, said)

    def pair(self, pair: MutantPair) -> None:
        """Take in what became of two changes together."""
        self.step("pair")
        if pair.kept:
            word = self.explained(PAIRS, pair.function, pair.change)
            self.counts[word] += 1
            if self.every or word == "survived":
                what = f"{pair.one.mutation.what}, and {pair.two.mutation.what}"
                self.show(word, [pair.one, pair.two], what, [f"together they pass {', '.join(pair.kept)}"])

    def step(self, what: str) -> None:
        """Move the progress bar on."""
        self.done += 1
        self.progress.step(f"{what} {self.done} of {self.total}", self.done / self.total)

    def explained(self, where: str, function: str, changed: tuple[str, str]) -> str:
        """Look for an entry about a change that no criterion noticed, and say in a word whether there is one."""
        entry = entries.explaining(self.known, where, function, changed)
        self.needed |= {entry} if entry else set()
        return "explained" if entry else "survived"

    def show(self, word: str, mutants: Sequence[Mutant], what: str, said: Sequence[str]) -> None:
        """Print changes as a diff, and what was said of them."""
        first = mutants[0]
        where = f"{first.where}, {first.mutation.function or 'module'}, line {first.mutation.line}"
        head = Text(f"{word:<10}", "red" if word in ("survived", "undecided") else "green")
        self.console.print(head.append(f"{where}: {what}", "default"), soft_wrap=True)
        for line in [*(line for mutant in mutants for line in mutant.diff), *said]:
            self.console.print(Text(f"    {printable(line)}"), soft_wrap=True)

    def summary(self, seed: int, possible: int) -> str:
        """The counts in a sentence."""
        counts, share = self.counts, f" ({self.done / possible:.0%}, chosen with seed {seed})"
        return (
            f"{self.done} of {possible} mutants{share if self.done < possible else ''}: {counts['killed']} lost "
            f"points, {counts['own']} of them by a criterion of what was changed; {counts['explained']} are right "
            f"as well; {counts['survived']} lost nothing and are in no entry; {counts['undecided']} undecided"
        )


def run(options: Options, only: str, everything: bool, show_messages: bool = False) -> int:
    """Grade mutants, print which of them no criterion noticed; 1 when one of them is in no entry.

    Args:
        options: how to grade.
        only: part of the name of a module of the reference or of a variant, or "pairs"; where it is empty, the
            reference, and with ``everything`` its variants and the pairs as well.
        everything: grade all mutants, not a sample.
        show_messages: print every mutant, with what was said of it.
    """
    reference = options.assignment.reference
    if reference is None or not reference.is_dir():
        raise GraderError(f"{reference or options.assignment.name}: there is no reference to make mutants of")
    corpus = options.assignment.corpus
    beside = [Path(audit.corpus_of(options.assignment).__file__).parent] if corpus else []
    known = [entry for folder in (reference, *beside) for entry in entries.load(folder / FILE)]
    hunter, shown = Hunter(options), MutationPrinter(known, show_messages)
    try:
        with tempfile.TemporaryDirectory(prefix="vit-grade-mutants-") as folder:
            wanted = corpus and only != PAIRS and (everything or bool(only))
            styles = audit.styles(options.assignment, Path(folder)) if wanted else {}
            if only != PAIRS:
                _hunt(hunter, _mutants(hunter, reference, styles, only), everything, shown)
            if only == PAIRS or (everything and not only):
                _pairs(hunter, hunter.mutants(reference), shown)
    finally:
        hunter.close()
    unneeded = [entry for entry in known if only in entry.where and entry not in shown.needed] if everything else []
    for entry in unneeded:
        shown.console.print(Text(f"no mutant needs the entry {printable(str(entry))}", "red"), soft_wrap=True)
    return int(bool(shown.wrong or unneeded))


def _mutants(hunter: Hunter, reference: Path, styles: dict[str, Path], only: str) -> list[Mutant]:
    found = hunter.mutants(reference, only=only)
    statements = hunter.statements(reference) if styles else []
    for ident, folder in styles.items():
        found += hunter.mutants(folder, ident, statements, only)
    if not found:
        raise GraderError(f"no module and no variant has {only!r} in its name; nothing was audited")
    return found


def _hunt(hunter: Hunter, mutants: list[Mutant], everything: bool, shown: MutationPrinter) -> None:
    max_sample = 400  # mutants in a run that is not told to grade them all
    chosen = mutants if everything else sample(mutants, max_sample, hunter.seed)
    shown.total = len(chosen)
    seconds = 8.0 * 60  # after which such a run begins no other one
    with Progress() as shown.progress:
        shown.progress.begin("mutants", 1, 1)
        hunt(hunter, chosen, os.cpu_count() or 1, math.inf if everything else seconds, shown.result)
    shown.console.print(shown.summary(hunter.seed, len(mutants)), soft_wrap=True)


def _pairs(hunter: Hunter, mutants: list[Mutant], shown: MutationPrinter) -> None:
    chosen = pairs.drawn(mutants, PAIRS_DRAWN, hunter.seed)
    shown.total, shown.done = len(chosen), 0
    with Progress() as shown.progress:
        shown.progress.begin("pairs", 1, 1)
        graded = pairs.graded(hunter, chosen, os.cpu_count() or 1, shown.pair)
    cancelled = sum(bool(pair.kept) for pair in graded)
    shown.console.print(
        f"{len(graded)} pairs of changes, chosen with seed {hunter.seed}: {cancelled} pass a criterion that each of "
        "the two loses alone",
        soft_wrap=True,
    )
